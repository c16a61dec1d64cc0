//! The documentation: the contract's page is what the contract says, and links lead somewhere. What is shown of writing
//! plugins is tried in `plugins`.

mod contract;
mod links;
