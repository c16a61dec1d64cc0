/// What a step that succeeded has to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done<O> {
    /// The step's outputs. They are written as a JSON object, as the manifest's `outputs` describes it.
    pub data: O,
    /// Whether anything in the world is different from before.
    pub changed: bool,
    /// What was done, in one line. Empty by default.
    pub summary: String,
}

impl<O> Done<O> {
    /// The step changed something.
    pub fn changed(data: O) -> Self {
        Done::when(true, data)
    }

    /// The step only looked, or found everything as it should be.
    pub fn unchanged(data: O) -> Self {
        Done::when(false, data)
    }

    /// The step changed something when `changed` says so.
    pub fn when(changed: bool, data: O) -> Self {
        Done {
            data,
            changed,
            summary: String::new(),
        }
    }

    /// Says in one line what was done.
    pub fn summary(mut self, summary: impl Into<String>) -> Self {
        self.summary = summary.into();
        self
    }
}
