//! What KATA needs to be configured, and what each action does to it.

use std::time::Duration;

use cordon_sdk::manifest::{Action, Credential, Manifest, Setting, TargetKind};

use crate::Kata;

/// Five tries of half a minute would take longer; who has more time says so.
const TIMEOUT: Duration = Duration::from_secs(120);

/// Inferred: the vendor documents no limit, and one Central Node serves all hosts.
const REQUESTS_IN_FLIGHT: u32 = 16;

/// The scope of a prevention rule that means every host of the Central Node.
pub const ALL: &str = "all";

pub fn kata() -> Manifest {
    let manifest = Manifest::of::<Kata>()
        .title("Kaspersky Anti Targeted Attack Platform")
        .vendor("Kaspersky")
        .description(
            "Threat Response of a KATA Central Node: finds hosts, isolates them, forbids files by their hash, and runs \
             programs. Needs no account: an administrator accepts the connection's id and certificate once, in the web \
             interface under External systems.",
        )
        .concurrency(REQUESTS_IN_FLIGHT);
    actions(capabilities(configuration(manifest)))
}

fn configuration(manifest: Manifest) -> Manifest {
    manifest
        .setting(Setting::text("external_system_id").required().help(
            "The id that this connection has made up for itself, usually a UUID. The administrator accepts it together \
             with the certificate; a changed certificate must be accepted again.",
        ))
        .setting(Setting::duration("isolation_default").default("8h").help(
            "How long a host is isolated when a playbook does not say: 1 to 9999 hours.",
        ))
        .setting(
            Setting::texts("task_states_succeeded")
                .default(r#"["completed", "complete", "finished", "done", "success"]"#)
                .help("States of a task that mean that the program was run. KATA does not document its states."),
        )
        .setting(
            Setting::texts("task_states_failed")
                .default(
                    r#"["error", "failed", "failure", "timeout", "expired", "canceled", "cancelled", "rejected"]"#,
                )
                .help("States of a task that mean that it failed. All other states mean that it is still going on."),
        )
        .credential(Credential::client_certificate("client_certificate").required().self_made().help(
            "The certificate that this connection presents to the Central Node. It may be self-signed: KATA accepts its \
             fingerprint, after an administrator did.",
        ))
}

fn actions(manifest: Manifest) -> Manifest {
    let on_host = |action: Action| action.on_host("sensor-id", "get-sensor").timeout(TIMEOUT);
    let on_scope = |action: Action| on_host(action).all(ALL);
    let on_hashes = |action: Action| {
        on_scope(action)
            .on(TargetKind::Indicator, "hashes")
            .natural()
    };
    manifest
        .action(Action::read("list-sensors").timeout(TIMEOUT))
        .action(on_host(Action::read("get-sensor")))
        .action(Action::read("search-sensors").timeout(TIMEOUT))
        .action(on_host(Action::read("get-isolation")))
        .action(
            on_host(Action::reversible("isolate", "release"))
                .natural()
                .reconciled_by("isolation-ordered"),
        )
        // Not `reversible`: the time that was left and the exclusions are gone.
        .action(
            on_host(Action::irreversible("release"))
                .natural()
                .reconciled_by("isolation-ended"),
        )
        .action(on_scope(Action::read("get-prevention-rules")))
        .action(
            on_hashes(Action::destructive("set-prevention-rules"))
                .reconciled_by("prevention-rules-set"),
        )
        .action(
            on_hashes(Action::reversible(
                "add-prevention-hashes",
                "remove-prevention-hashes",
            ))
            .reconciled_by("prevention-hashes-added"),
        )
        .action(
            on_hashes(Action::reversible(
                "remove-prevention-hashes",
                "add-prevention-hashes",
            ))
            .reconciled_by("prevention-hashes-removed"),
        )
        .action(
            on_scope(Action::destructive("delete-all-prevention-rules"))
                .natural()
                .reconciled_by("prevention-rules-deleted"),
        )
        .action(
            on_host(Action::irreversible("create-run-task"))
                .keyed()
                .reconciled_by("run-task-created"),
        )
        .action(
            Action::read("get-task")
                .on(TargetKind::Task, "task-id")
                .timeout(TIMEOUT),
        )
        .action(
            Action::destructive("delete-task")
                .on(TargetKind::Task, "task-id")
                .natural()
                .reconciled_by("run-task-deleted")
                .timeout(TIMEOUT),
        )
}

fn capabilities(manifest: Manifest) -> Manifest {
    let on_host = |action: Action| action.on_host("host", "hosts-get").timeout(TIMEOUT);
    manifest
        .action(Action::read("hosts-find").timeout(TIMEOUT))
        .action(
            Action::read("hosts-get")
                .on_host("id", "hosts-get")
                .timeout(TIMEOUT),
        )
        .action(on_host(Action::reversible("isolation-isolate", "isolation-release")).natural())
        .action(on_host(Action::irreversible("isolation-release")).natural())
        .action(on_host(Action::read("isolation-state")))
        .action(on_host(Action::irreversible("programs-run")).keyed())
        .action(
            Action::read("programs-status")
                .on(TargetKind::Task, "id")
                .timeout(TIMEOUT),
        )
}
