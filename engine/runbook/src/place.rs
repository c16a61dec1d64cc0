//! The paths that documents give.

use crate::fault::Fault;
use crate::path::Path;

/// A relative path stays within the project, and each is written as it is: there is no shell that fills in a home.
pub(crate) fn check_path(path: &str, place: &Path, faults: &mut Vec<Fault>) {
    if path.is_empty() {
        faults.push(
            Fault::error(place.clone(), "a path is empty").help("`.` is the project's own folder"),
        );
    }
    let absolute = path.starts_with('/');
    if !absolute && path.split(['/', '\\']).any(|part| part == "..") {
        let fault = Fault::error(
            place.clone(),
            format!("path `{path}` leaves the project's folder"),
        );
        faults.push(fault.help("write a path below it, or an absolute one"));
    }
    if path.starts_with('~') {
        let fault = Fault::error(
            place.clone(),
            format!("path `{path}` begins with `~`, which stands for nothing here"),
        );
        faults.push(
            fault.help("write the whole path, as `/home/ana/x`, or one below the project's folder"),
        );
    }
}
