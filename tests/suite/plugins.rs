//! The plugins as components, over real HTTP, against a simulated cloud that does wrong.

mod failover_sql;
mod http;
mod post_status;
mod update_ip;
