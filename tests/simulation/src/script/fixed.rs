//! A handful of playbooks that between them have every kind of step, for the simulation that crashes at
//! every write.

use std::collections::BTreeMap;

const HEAD: &str = "inputs: #{ run: \"string\", group: \"string\" }, uses: #{ a: \"box\" }";
const BEGIN: &str = "let a = connection(\"a\");";

/// The names.
pub const NAMES: [&str; 8] = [
    "endless",
    "writes",
    "waits",
    "people",
    "composites",
    "taken_back",
    "parents",
    "leaf",
];

/// The playbooks by name.
#[must_use]
pub fn playbooks() -> BTreeMap<String, String> {
    let bodies = [
        (
            "writes",
            "let id = uuid(); a.add(#{ run: input.run, at: \"P1\", note: id });
             a.switch_on(#{ run: input.run, at: \"P2\" });
             let opened = a.open(#{ run: input.run, at: \"P3\" }).done;
             a.order(#{ run: input.run, at: \"P4\" });
             [opened, a.wipe(#{ run: input.run, at: \"P5\" }).done, a.send(#{ run: input.run, at: \"P6\" }).done]",
            "",
        ),
        (
            "waits",
            "sleep(\"50ms\"); sleep(\"2h\");
             let found = poll(|| a.look(#{ key: input.run, after: 3 }), |seen| seen.finished, #{ every: \"5s\", timeout: \"60d\" });
             let late = 0;
             try { poll(|| a.look(#{ key: \"never\", after: 1000 }), |seen| seen.finished, #{ every: \"20s\", timeout: \"1m\" }); }
             catch (error) { late = error.kind; }
             note(\"late\", late); artifact(\"found.json\", found);
             [found.finished, late, a.purge(#{ run: input.run, at: \"P1\" }).done]",
            "",
        ),
        (
            "people",
            "let agreed = approve(#{ message: \"M1 allow 2 lead eyes\", approvers: 2, role: \"lead\", four_eyes: true, expires: \"60d\" });
             a.send(#{ run: input.run, at: \"G1 after M1 allow 2 lead eyes\" });
             let answer = ask(#{ message: \"Q1\", choices: [\"red\", \"blue\"], expires: \"60d\" });
             let refused = 0;
             try { approve(#{ message: \"M2 deny 1\", expires: \"60d\" }); a.wipe(#{ run: input.run, at: \"G2 after M2 deny 1\" }); }
             catch (error) { refused = error.kind; }
             [agreed.approved_by.len(), answer, refused]",
            "",
        ),
        (
            "composites",
            "let all = parallel([1, 2, 3], |x| {
                 sleep(\"1m\");
                 let first = a.add(#{ run: input.run, at: `P1-${x}` }).done;
                 let second = retry(|| a.get(#{ key: `K-${x}` }).value, #{ attempts: 3 });
                 let third = poll(|| { let y = parallel([1, 2], |y| a.get(#{ key: `K-${x}-${y}` }).value); a.look(#{ key: `${input.run}-${x}`, after: 2 }) }, |seen| seen.finished, #{ every: \"10s\", timeout: \"60d\" });
                 [first, second, third.finished, a.open(#{ run: input.run, at: `P2-${x}` }).done]
             }, #{ max: 2, on_error: \"continue\" });
             all.map(|each| [each.state, each.value])",
            "",
        ),
        (
            "taken_back",
            "undoable(|| a.open(#{ run: input.run, at: \"R1\" }));
             undo(|| { sleep(\"1h\"); a.drop_it(#{ run: input.run, at: \"U1\" }) });
             parallel([1, 2], |x| { undoable(|| a.switch_on(#{ run: input.run, at: `R2-${x}` })); sleep(\"5s\"); x });
             retry(|| undoable(|| a.add(#{ run: input.run, at: \"R3\" }).done));
             fail(\"as written\")",
            "fn on_error(input, error) { let a = connection(\"a\"); a.send(#{ run: input.run, at: \"E1\" }); }",
        ),
        (
            "endless",
            "undoable(|| a.open(#{ run: input.run, at: \"R1\" }));
             parallel([1, 2], |x| { undoable(|| a.add(#{ run: input.run, at: `R2-${x}` })); x });
             let count = 0;
             loop { count += 1; }",
            "fn on_error(input, error) { let a = connection(\"a\"); a.send(#{ run: input.run, at: error.kind }); }",
        ),
        (
            "parents",
            "let one = call_playbook(\"leaf\", #{ run: input.run + \"/one\", group: input.group });
             let two = parallel([1, 2], |x| call_playbook(\"leaf\", #{ run: `${input.run}/two-${x}`, group: input.group }));
             [one, two.map(|each| each.value)]",
            "",
        ),
        (
            "leaf",
            "sleep(\"10s\"); a.close(#{ run: input.run, at: \"P1\" }).done",
            "",
        ),
    ];
    let text = |name: &str, body: &str, more: &str| {
        let slot = match name {
            "leaf" => ", concurrency: #{ key: \"group\" }",
            _ => "",
        };
        format!(
            "const PLAYBOOK = #{{ title: \"{name}\", {HEAD}{slot} }};\nfn run(input) {{ {BEGIN}\n{body}\n}}\n{more}\n"
        )
    };
    bodies
        .into_iter()
        .map(|(name, body, more)| (name.to_owned(), text(name, body, more)))
        .collect()
}
