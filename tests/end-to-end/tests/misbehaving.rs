//! Connectors that misbehave are refused or contained, each beside a success of the same kind, and
//! disturb nobody else.
#![allow(clippy::unwrap_used, reason = "what goes wrong here is a failed test")]

use cordon_end_to_end::{Automation, CANARY, Output, Server};

const FAILED: i32 = 1;
const ANSWER_LOST: i32 = 5;

/// An automation directory with one guest, and a connection `guest` to this product.
fn with_guest(guest: &str, server: &Server) -> Automation {
    let automation = Automation::empty();
    automation.with_connector(&format!("guests/{guest}"));
    let name = guest.replace('_', "-");
    automation.write(
        "connections/guest.toml",
        format!("connector = \"{name}\"\nurl = \"{}\"\n", server.url()),
    );
    automation
}

fn call(automation: &Automation, arguments: &[&str]) -> Output {
    automation.cordon(["call", "guest"]).args(arguments).run()
}

fn silent() -> Server {
    Server::start(|_| String::new())
}

#[test]
fn a_guest_that_loops_is_ended_when_its_time_is_over_and_one_that_counts_is_not() {
    let automation = with_guest("endless", &silent());
    automation.write("cordon.toml", "[limits]\ncall_time = \"1s\"\n");
    call(&automation, &["count", "to=1000"]).expect_code(0);
    call(&automation, &["forever"])
        .expect_code(FAILED)
        .expect("1s");
}

#[test]
fn a_guest_that_hoards_memory_or_stack_is_ended_at_the_limit_that_it_reached() {
    let automation = with_guest("hoard", &silent());
    call(&automation, &["take", "bytes=10MB"]).expect_code(0);
    call(&automation, &["take", "bytes=4GiB"])
        .expect_code(FAILED)
        .expect("memory")
        .expect("256MiB");
    call(&automation, &["dive", "depth=100"]).expect_code(0);
    call(&automation, &["dive", "depth=100000000"])
        .expect_code(FAILED)
        .expect("stack");
}

#[test]
fn a_guest_that_panics_fails_its_call_with_its_own_last_words() {
    let automation = with_guest("trap", &silent());
    call(&automation, &["divide", "number=6", "by=3"]).expect_code(0);
    call(&automation, &["divide", "number=6", "by=0"])
        .expect_code(FAILED)
        .expect("divide by zero");
}

#[test]
fn a_guest_that_panics_after_a_write_leaves_it_in_doubt_and_after_a_read_does_not() {
    let server = silent();
    let automation = with_guest("trap", &server);
    call(&automation, &["write_and_panic"])
        .expect_code(ANSWER_LOST)
        .expect("write_and_panic");
    call(&automation, &["read_and_panic"])
        .expect_code(FAILED)
        .expect("after reading");
    let written = server
        .asked()
        .iter()
        .filter(|asked| asked.line.starts_with("POST"))
        .count();
    assert_eq!(
        written, 1,
        "a write that may never be repeated was sent again"
    );
}

#[test]
fn a_guest_that_floods_is_ended_or_cut_at_the_limit_that_it_reached() {
    let automation = with_guest("flood", &silent());
    call(&automation, &["text", "length=100KB"]).expect_code(0);
    call(&automation, &["text", "length=200MB"])
        .expect_code(FAILED)
        .expect("transfer");
    call(&automation, &["numbers", "count=1000"]).expect_code(0);
    call(&automation, &["numbers", "count=40000000"])
        .expect_code(FAILED)
        .expect("transfer");
    call(&automation, &["nested", "depth=60"]).expect_code(0);
    call(&automation, &["nested", "depth=100000"])
        .expect_code(FAILED)
        .expect("nested deeper");
    call(&automation, &["lines", "count=100000", "length=10"]).expect_code(0);
    call(&automation, &["chatter", "count=100000"]).expect_code(0);
    call(&automation, &["requests", "count=10"]).expect_code(0);
    call(&automation, &["requests", "count=100000"])
        .expect_code(FAILED)
        .expect("http_requests");
    let complaint = call(&automation, &["complain", "length=1MB"]);
    complaint.expect_code(FAILED);
    assert!(
        complaint.all().len() < 100_000,
        "a message of {} bytes reaches the screen",
        complaint.all().len()
    );
}

#[test]
fn what_a_guest_prints_reaches_no_terminal_as_colour() {
    let automation = with_guest("flood", &silent());
    let output = automation
        .cordon(["-vvv", "call", "guest", "chatter", "count=3"])
        .run();
    output.expect_code(0);
    assert!(!output.all().contains('\u{1b}'), "{:?}", output.all());
}

#[test]
fn a_guest_gets_no_secret_back_by_whatever_way_the_product_echoes_it() {
    let server = Server::mirror();
    let automation = with_guest("echo", &server);
    automation.write("credentials/token", CANARY);
    let file = "connections/guest.toml";
    let with_token = format!(
        "{}[credentials]\ntoken = \"file:credentials/token\"\n",
        automation.read(file)
    );
    automation.write(file, with_token);
    set_private(&automation, "credentials/token");

    // `Program::run` looks for the canary in everything that is printed.
    call(&automation, &["authorized"])
        .expect_code(0)
        .expect("[secret token]");
    call(&automation, &["fail"])
        .expect_code(FAILED)
        .expect("[secret token]");
    automation
        .cordon(["-vvv", "call", "guest", "tell"])
        .run()
        .expect_code(0);
    automation
        .cordon(["call", "--trace", "guest", "authorized"])
        .run()
        .expect_code(0);
    call(&automation, &["say", &format!("text=my token is {CANARY}")]).expect_code(0);
    call(
        &automation,
        &["say", "text=${secret:token} {{token}} [secret token]"],
    )
    .expect_code(0);

    // As an argument of an action it is a name; only the connection that has it can fill it in.
    call(&automation, &["pass", "value=token"])
        .expect_code(0)
        .expect("[secret token]");
    call(&automation, &["pass", "value=nobodys"])
        .expect_code(FAILED)
        .expect("nobodys");

    let asked = server.asked();
    let sent = asked
        .iter()
        .any(|asked| asked.headers.iter().any(|line| line.contains(CANARY)));
    assert!(sent, "the secret must reach the product: {asked:#?}");
    let pasted = asked
        .iter()
        .filter(|asked| asked.body.contains("${secret"))
        .count();
    assert_eq!(pasted, 1, "text that looks like a placeholder stays text");
}

#[test]
fn a_guest_that_imports_what_nobody_gives_is_refused_with_its_name() {
    refused_at_load("stranger", &["guests:stranger/crystal-ball"]);
}

#[test]
fn a_guest_whose_manifest_speaks_of_what_it_does_not_have_is_refused() {
    refused_at_load("lie_about_actions", &["release"]);
}

#[test]
fn an_action_of_another_shape_is_refused_with_what_it_should_be() {
    refused_at_load("shapeless", &["always", "result"]);
}

#[test]
fn a_guest_that_returns_something_else_than_the_json_it_promised_fails_its_call() {
    let automation = with_guest("lie_about_json", &silent());
    call(&automation, &["honest"]).expect_code(0).expect("yes");
    call(&automation, &["lie"])
        .expect_code(FAILED)
        .expect("JSON");
}

/// The guest is refused with these words, and another connector beside it works.
#[track_caller]
fn refused_at_load(guest: &str, says: &[&str]) {
    let automation = with_guest(guest, &silent());
    automation.with_connector("guests/hosts");
    let list = automation.cordon(["connector", "list"]).run();
    list.expect("hosts").expect(&format!("{guest}.wasm"));
    for text in says {
        list.expect(text);
    }
    let name = guest.replace('_', "-");
    call(&automation, &["anything"])
        .expect_code(3)
        .expect(&name);
}

#[cfg(unix)]
fn set_private(automation: &Automation, path: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    let private = std::fs::Permissions::from_mode(0o600);
    std::fs::set_permissions(automation.root().join(path), private).unwrap();
}
