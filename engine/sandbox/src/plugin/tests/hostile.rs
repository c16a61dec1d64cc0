//! Components that take what they can get. After each, an innocent one comes to what it should, on the same engine.

use super::*;

/// Runs a component to its breach, with and without a pool, and an innocent one after it.
#[track_caller]
fn reaches(component: &[u8], limits: Limits) -> String {
    let mut said = Vec::new();
    for slots in [None, Some(1)] {
        let settings = Settings {
            slots,
            ..Settings::default()
        };
        let sandbox = Sandbox::new(&settings).unwrap();
        let load = |component: &[u8]| {
            let packed = Packed::read(pack(component, b"{}").unwrap()).unwrap();
            Bench::new(sandbox.load(&packed).unwrap())
        };
        said.push(load(component).limits(limits).breaks().to_string());
        assert_eq!(load(&sample::component("")).succeeds().summary, "all well");
    }
    assert_eq!(said[0], said[1]);
    said.remove(0)
}

#[test]
fn a_table_grows_to_its_limit() {
    let table = "(table $t 1 funcref)";
    let grow = |by: u32| format!("(drop (table.grow $t (ref.null func) (i32.const {by})))");
    let said = reaches(&sample::larger(&grow(40_000), table, ""), Limits::default());
    assert_eq!(
        said,
        "the plugin reached its limit of 36000 for table elements"
    );
    // What is granted can be had, with a pool too.
    let most = Limits {
        table_elements: 100_000,
        ..Limits::default()
    };
    for slots in [None, Some(1)] {
        let granted = "(if (i32.eq (table.grow $t (ref.null func) (i32.const 90000)) (i32.const -1)) (then unreachable))";
        let component = sample::larger(granted, table, "");
        Bench::load(&component, slots).limits(most).succeeds();
    }
}

#[test]
fn many_tables_count_together() {
    let tables = "(table 10000 funcref)".repeat(4);
    let said = reaches(&sample::larger("", &tables, ""), Limits::default());
    assert!(said.ends_with("36000 for table elements"), "{said}");
}

#[test]
fn many_instances_reach_their_limit() {
    let many = "(core module $m) ".to_owned() + &"(core instance (instantiate $m)) ".repeat(150);
    let component = sample::larger("", "", &many);
    let said = reaches(&component, Limits::default());
    assert_eq!(
        said,
        "the plugin reached its limit of 100 for core instances"
    );
    let more = Limits {
        instances: 200,
        ..Limits::default()
    };
    for slots in [None, Some(1)] {
        Bench::load(&component, slots).limits(more).succeeds();
    }
}

#[test]
fn a_gigabyte_is_had_where_it_is_granted() {
    let grow = "(if (i32.eq (memory.grow (i32.const 16000)) (i32.const -1)) (then unreachable))";
    let said = reaches(&sample::component(grow), Limits::default());
    assert!(said.ends_with("512 MiB for memory"), "{said}");
    let limits = Limits {
        memory_bytes: 1 << 30,
        ..Limits::default()
    };
    for slots in [None, Some(1)] {
        Bench::load(&sample::component(grow), slots)
            .limits(limits)
            .succeeds();
    }
}

#[test]
fn a_pointer_out_of_its_memory_is_a_crash() {
    let beyond = "(call $log (i32.const 1) (i32.const -16) (i32.const 4096))";
    let breakage = Bench::of(beyond).breaks();
    assert!(matches!(breakage, Breakage::Trapped(_)), "{breakage:?}");
}

#[test]
fn text_that_is_no_utf8_is_a_crash() {
    let broken = "(i32.store (i32.const 8192) (i32.const 0xfffefdfc)) (call $log (i32.const 1) (i32.const 8192) (i32.const 4))";
    let breakage = Bench::of(broken).breaks();
    assert!(matches!(breakage, Breakage::Trapped(_)), "{breakage:?}");
}

#[test]
fn a_level_that_there_is_not_is_a_crash() {
    let breakage = Bench::of("(call $log (i32.const 99) (i32.const 4096) (i32.const 4))").breaks();
    assert!(matches!(breakage, Breakage::Trapped(_)), "{breakage:?}");
}
