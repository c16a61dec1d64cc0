//! The plugins as components, over real HTTP, against a simulated cloud that does wrong.

mod any_fault;
mod failover_sql;
mod http;
mod pages;
mod patroni;
mod post_status;
mod update_ip;
