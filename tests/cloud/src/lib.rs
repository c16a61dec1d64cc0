//! A simulated cloud for rehearsals and tests: Azure, Cloudflare, Statuspage, Patroni, and the shop that they serve.
//!
//! One listener on loopback serves every origin and tells them apart by the `Host` header, which is what an environment
//! that reroutes sends. The simulation keeps its state, is strict (a request that the real service refuses is refused, in its
//! shape), and does wrong on demand ([`Fault`]).
//!
//! ```no_run
//! use simcloud::{Cloud, Effect, Fault, Options, Region};
//!
//! # async fn rehearse() -> std::io::Result<()> {
//! let cloud = Cloud::start(Options::healthy()).await?;
//! cloud.region_down(Region::East);
//! cloud.fail(Fault::new(Effect::DropAfter).method("POST").host("api.statuspage.io"));
//! println!("reroute to {}", cloud.origin());
//! assert_eq!(cloud.state()["site"]["up"], false);
//! # Ok(())
//! # }
//! ```

mod admin;
mod answer;
mod azure;
mod cloud;
mod cloudflare;
mod edge;
mod fault;
mod hooks;
mod html;
mod log;
mod odd;
mod options;
mod page;
mod patroni;
mod region;
mod request;
mod server;
mod stamp;
mod state;
mod statuspage;
mod summary;
mod switchboard;
pub mod world;

pub use cloud::Cloud;
pub use fault::{Effect, Fault};
pub use log::{Counts, Logged};
pub use options::{Lasting, Options, RateLimit};
pub use region::{NoSuchRegion, Region};
