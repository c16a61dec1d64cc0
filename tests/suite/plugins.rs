//! The plugins as components, over real HTTP, against a simulated cloud that does wrong.

mod any_fault;
mod built;
mod cases;
mod commands;
mod examples;
mod failover_sql;
mod http;
mod new;
mod pages;
mod patroni;
mod post_status;
mod prelude;
mod services;
mod snippets;
mod update_ip;
