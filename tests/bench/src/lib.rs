//! The floor: what a step costs at the least. Bare wasmtime and bare SQLite make the same calls and the
//! same durable commits as the engine, with nothing else: no gate, no limits, no record, no language.

use std::path::Path;

use rusqlite::Connection;
use wasmtime::component::{Component, HasSelf, Linker, Resource, ResourceTable};
use wasmtime::{
    Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, Result, Store,
};
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};

mod bindings {
    #![allow(missing_docs, reason = "generated; the words are in wit/")]
    wasmtime::component::bindgen!({
        path: "../../wit",
        world: "revealing-step",
        imports: { default: async | trappable },
        exports: { default: async },
    });
}

use bindings::sandbook::step::{http, log, progress, reveal, secrets, timer, types};

/// Bare wasmtime with one component, instantiated anew for each call.
pub struct Floor {
    engine: Engine,
    pre: bindings::RevealingStepPre<Host>,
    client: Option<reqwest::Client>,
}

struct Host {
    /// Made when the guest first touches it: one that does nothing never does.
    wasi: Option<WasiCtx>,
    table: ResourceTable,
    client: Option<reqwest::Client>,
}

impl Floor {
    /// Compiles the component, or loads its compiled form where that file is there; writes it otherwise.
    ///
    /// `slots` makes a pool of so many instances; without it they are allocated on demand.
    pub fn new(component: &Path, compiled: &Path, slots: Option<u32>) -> Result<Floor> {
        let mut config = Config::new();
        config.epoch_interruption(true).concurrency_support(false);
        if let Some(slots) = slots {
            let mut pool = PoolingAllocationConfig::default();
            pool.total_component_instances(slots)
                .total_core_instances(slots * 4)
                .total_memories(slots * 2)
                .total_tables(slots * 4)
                .total_stacks(slots)
                .linear_memory_keep_resident(2 << 20)
                .async_stack_keep_resident(32 << 10)
                .table_keep_resident(16 << 10)
                .pagemap_scan(Enabled::Auto);
            config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
        }
        let engine = Engine::new(&config)?;
        let component = if compiled.exists() {
            #[expect(
                unsafe_code,
                reason = "the file was written below, by this program, in a directory of its own"
            )]
            // SAFETY: the file is what `serialize` returned, and nobody else writes it.
            unsafe {
                Component::deserialize_file(&engine, compiled)?
            }
        } else {
            let component = Component::from_file(&engine, component)?;
            std::fs::write(compiled, component.serialize()?)?;
            component
        };
        let mut linker = Linker::<Host>::new(&engine);
        wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
        bindings::RevealingStep::add_to_linker::<_, HasSelf<Host>>(&mut linker, |host| host)?;
        let pre = bindings::RevealingStepPre::new(linker.instantiate_pre(&component)?)?;
        Ok(Floor {
            engine,
            pre,
            client: None,
        })
    }

    /// The same with one HTTP client for all requests.
    #[must_use]
    pub fn with_client(mut self, client: reqwest::Client) -> Floor {
        self.client = Some(client);
        self
    }

    /// A fresh store, an instance, one call, and the drop of both.
    pub async fn call(&self, input: &str) -> Result<String> {
        let host = Host {
            wasi: None,
            table: ResourceTable::new(),
            client: self.client.clone(),
        };
        let mut store = Store::new(&self.engine, host);
        store.set_epoch_deadline(1_000_000);
        let step = self.pre.instantiate_async(&mut store).await?;
        let context = types::Context {
            run: "floor".to_owned(),
            step: "step".to_owned(),
            attempt: 1,
            idempotency_key: "key".to_owned(),
            started_at: 0,
            deadline: u64::MAX,
            dry_run: false,
        };
        match step
            .step()
            .call_run(&mut store, &context, &input.to_owned())
            .await?
        {
            Ok(output) => Ok(output.data),
            Err(failure) => Err(wasmtime::Error::msg(failure.message)),
        }
    }
}

/// One HTTP client for all requests of a floor. It speaks http only, so it reads no certificates.
pub fn client() -> std::result::Result<reqwest::Client, Box<dyn std::error::Error>> {
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    Ok(reqwest::Client::builder()
        .no_proxy()
        .tls_backend_preconfigured(tls)
        .build()?)
}

/// A table of events, and as many durable commits as one asks for.
pub struct Commits(Connection);

impl Commits {
    /// Opens or makes the database, in the mode in which the engine keeps its own.
    pub fn open(path: &Path) -> rusqlite::Result<Commits> {
        let connection = Connection::open(path)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.set_db_config(
            rusqlite::config::DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE,
            true,
        )?;
        connection.execute_batch(
            "CREATE TABLE IF NOT EXISTS events (id INTEGER PRIMARY KEY, body BLOB NOT NULL, hash BLOB NOT NULL)",
        )?;
        Ok(Commits(connection))
    }

    /// Writes so many rows of the size of an event, and waits for the disk.
    pub fn commit(&mut self, rows: usize) -> rusqlite::Result<()> {
        let transaction = self
            .0
            .transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        {
            let mut insert =
                transaction.prepare_cached("INSERT INTO events (body, hash) VALUES (?1, ?2)")?;
            for _ in 0..rows {
                insert.execute((&[b'x'; 120][..], &[0_u8; 32][..]))?;
            }
        }
        transaction.commit()
    }
}

impl WasiView for Host {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        let wasi = self
            .wasi
            .get_or_insert_with(|| WasiCtxBuilder::new().build());
        WasiCtxView {
            ctx: wasi,
            table: &mut self.table,
        }
    }
}

impl types::Host for Host {}

impl http::Host for Host {
    async fn send(
        &mut self,
        request: http::Request,
        _credential: Option<Resource<secrets::Credential>>,
    ) -> Result<std::result::Result<http::Response, http::Error>> {
        let client = self
            .client
            .as_ref()
            .ok_or_else(|| wasmtime::Error::msg("this floor has no client"))?;
        let method = reqwest::Method::from_bytes(request.method.as_bytes())?;
        let mut builder = client.request(method, request.url);
        for header in request.headers {
            builder = builder.header(header.name, header.value);
        }
        if let Some(body) = request.body {
            builder = builder.body(body);
        }
        let response = builder.send().await?;
        let status = response.status().as_u16();
        let headers = response
            .headers()
            .iter()
            .map(|(name, value)| http::Header {
                name: name.to_string(),
                value: String::from_utf8_lossy(value.as_bytes()).into_owned(),
            })
            .collect();
        let body = response.bytes().await?.to_vec();
        Ok(Ok(http::Response {
            status,
            headers,
            body,
        }))
    }
}

impl secrets::Host for Host {
    async fn open(
        &mut self,
        slot: String,
    ) -> Result<std::result::Result<Resource<secrets::Credential>, secrets::Error>> {
        Ok(Err(secrets::Error::UnknownSlot(slot)))
    }
}

impl secrets::HostCredential for Host {
    async fn drop(&mut self, _credential: Resource<secrets::Credential>) -> Result<()> {
        Ok(())
    }
}

impl reveal::Host for Host {
    async fn plaintext(
        &mut self,
        _credential: Resource<secrets::Credential>,
    ) -> Result<std::result::Result<String, reveal::Error>> {
        Ok(Err(reveal::Error::Denied(
            "the floor has no secrets".to_owned(),
        )))
    }
}

impl log::Host for Host {
    async fn write(&mut self, _level: log::Level, _message: String) -> Result<()> {
        Ok(())
    }
}

impl progress::Host for Host {
    async fn report(&mut self, _message: String, _fraction: Option<f32>) -> Result<()> {
        Ok(())
    }
}

impl timer::Host for Host {
    async fn sleep(&mut self, _duration: u64) -> Result<()> {
        Ok(())
    }
}
