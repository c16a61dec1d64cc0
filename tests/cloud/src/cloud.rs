use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;

use jiff::Timestamp;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::runtime;
use tokio::sync::oneshot;

use crate::log::{Counts, Logged};
use crate::server::{Shared, lock, serve};
use crate::switchboard::Switchboard;
use crate::{Fault, Options, Region};

/// A simulated cloud that runs. Dropping it ends it and closes its connections.
#[derive(Debug)]
pub struct Cloud {
    address: SocketAddr,
    board: Shared,
    /// Whoever serves ends when this is gone.
    _stop: oneshot::Sender<()>,
}

impl Cloud {
    /// Starts one in a task of the current runtime.
    ///
    /// # Errors
    /// The port can't be had.
    pub async fn start(options: Options) -> io::Result<Cloud> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port)).await?;
        let (cloud, serving) = Cloud::prepare(options, listener)?;
        tokio::spawn(serving);
        Ok(cloud)
    }

    /// Starts one in a thread of its own, for tests that have no runtime or block the one they have.
    ///
    /// # Errors
    /// The port or the thread can't be had.
    pub fn start_thread(options: Options) -> io::Result<Cloud> {
        let (tell, told) = mpsc::channel();
        thread::Builder::new()
            .name("simcloud".to_owned())
            .spawn(move || {
                let runtime = match runtime::Builder::new_current_thread().enable_all().build() {
                    Ok(runtime) => runtime,
                    Err(fault) => return tell.send(Err(fault)).unwrap_or_default(),
                };
                runtime.block_on(async {
                    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port)).await;
                    let started = listener.and_then(|listener| Cloud::prepare(options, listener));
                    match started {
                        Ok((cloud, serving)) => {
                            // Nobody there to be told means that the cloud is dropped, and the serving ends at once.
                            let _ = tell.send(Ok(cloud));
                            serving.await;
                        }
                        Err(fault) => tell.send(Err(fault)).unwrap_or_default(),
                    }
                });
            })?;
        told.recv().map_err(io::Error::other)?
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `http://127.0.0.1:PORT`: what an environment reroutes to.
    #[must_use]
    pub fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The world as it is now; `/_sim/state` gives the same.
    #[must_use]
    pub fn state(&self) -> Value {
        lock(&self.board).state.to_json()
    }

    /// The requests so far (the latest 10,000), without those to the switchboard.
    #[must_use]
    pub fn requests(&self) -> Vec<Logged> {
        lock(&self.board).log.entries()
    }

    /// How many requests there were.
    #[must_use]
    pub fn counts(&self) -> Counts {
        lock(&self.board).log.counts()
    }

    /// Switches a fault on, beside those that are.
    ///
    /// # Panics
    /// The fault makes no sense: a status that is none, or a zeroth request.
    pub fn fail(&self, fault: Fault) {
        assert_eq!(fault.nonsense(), None, "invariant: a fault can happen");
        lock(&self.board).faults.add(fault);
    }

    /// Switches all faults off.
    pub fn heal(&self) {
        lock(&self.board).faults.clear();
    }

    /// Takes a region down: its web app and its nodes can't be reached, and Patroni elects the other node.
    pub fn region_down(&self, region: Region) {
        lock(&self.board)
            .state
            .set_region(region, false, Timestamp::now());
    }

    /// Brings a region up again.
    pub fn region_up(&self, region: Region) {
        lock(&self.board)
            .state
            .set_region(region, true, Timestamp::now());
    }

    /// Ends every Azure token that is out.
    pub fn expire_tokens(&self) {
        lock(&self.board)
            .state
            .azure
            .tokens
            .expire(Timestamp::now());
    }

    /// Begins the world again: no faults, nothing on record.
    pub fn reset(&self) {
        lock(&self.board).reset(Timestamp::now());
    }

    fn prepare(
        options: Options,
        listener: TcpListener,
    ) -> io::Result<(Cloud, impl Future<Output = ()>)> {
        let address = listener.local_addr()?;
        let board = Arc::new(Mutex::new(Switchboard::new(options, Timestamp::now())));
        let (stop, stopped) = oneshot::channel();
        let serving = serve(listener, Arc::clone(&board), stopped);
        let cloud = Cloud {
            address,
            board,
            _stop: stop,
        };
        Ok((cloud, serving))
    }
}
