//! `progress`: where the step is, for the live view.

use super::Host;
use crate::bindings::sandbook::step::progress;

impl progress::Host for Host {
    fn report(&mut self, message: String, fraction: Option<f32>) -> wasmtime::Result<()> {
        let fraction = fraction
            .filter(|part| part.is_finite())
            .map(|part| part.clamp(0.0, 1.0));
        self.speech.progress(&message, fraction);
        Ok(())
    }
}
