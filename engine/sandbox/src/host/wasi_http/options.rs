//! `request-options`: how long a guest wants to wait.

use std::time::Duration;

use wasmtime::component::Resource;

use super::super::Host;
use crate::bindings::wasi_http::types;

/// Three times, in nanoseconds.
#[derive(Default)]
#[expect(
    unreachable_pub,
    reason = "the generated bindings re-export it as `pub`"
)]
pub struct RequestOptions {
    connect: Option<u64>,
    first_byte: Option<u64>,
    between_bytes: Option<u64>,
}

impl RequestOptions {
    /// How long the whole request may take. An answer comes whole, so that the time until it begins is what comes
    /// closest; the time for a connection says nothing of that.
    pub(super) fn timeout(&self) -> Option<Duration> {
        self.first_byte
            .or(self.between_bytes)
            .map(Duration::from_nanos)
    }
}

type Settable = Result<(), ()>;

impl types::HostRequestOptions for Host {
    fn new(&mut self) -> wasmtime::Result<Resource<RequestOptions>> {
        Ok(self.table.push(RequestOptions::default())?)
    }

    fn connect_timeout(
        &mut self,
        options: Resource<RequestOptions>,
    ) -> wasmtime::Result<Option<u64>> {
        Ok(self.table.get(&options)?.connect)
    }

    fn set_connect_timeout(
        &mut self,
        options: Resource<RequestOptions>,
        time: Option<u64>,
    ) -> wasmtime::Result<Settable> {
        self.table.get_mut(&options)?.connect = time;
        Ok(Ok(()))
    }

    fn first_byte_timeout(
        &mut self,
        options: Resource<RequestOptions>,
    ) -> wasmtime::Result<Option<u64>> {
        Ok(self.table.get(&options)?.first_byte)
    }

    fn set_first_byte_timeout(
        &mut self,
        options: Resource<RequestOptions>,
        time: Option<u64>,
    ) -> wasmtime::Result<Settable> {
        self.table.get_mut(&options)?.first_byte = time;
        Ok(Ok(()))
    }

    fn between_bytes_timeout(
        &mut self,
        options: Resource<RequestOptions>,
    ) -> wasmtime::Result<Option<u64>> {
        Ok(self.table.get(&options)?.between_bytes)
    }

    fn set_between_bytes_timeout(
        &mut self,
        options: Resource<RequestOptions>,
        time: Option<u64>,
    ) -> wasmtime::Result<Settable> {
        self.table.get_mut(&options)?.between_bytes = time;
        Ok(Ok(()))
    }

    fn drop(&mut self, options: Resource<RequestOptions>) -> wasmtime::Result<()> {
        self.table.delete(options)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_for_a_connection_doesnt_end_the_exchange() {
        let timeout = |connect, first_byte, between_bytes| {
            let options = RequestOptions {
                connect,
                first_byte,
                between_bytes,
            };
            options.timeout().map(|timeout| timeout.as_nanos())
        };
        assert_eq!(timeout(Some(1), None, None), None);
        assert_eq!(timeout(Some(1), Some(3), Some(2)), Some(3));
        assert_eq!(timeout(Some(1), None, Some(2)), Some(2));
    }
}
