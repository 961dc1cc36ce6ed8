//! The parts of a playbook: expressions whose values are plain.

use crate::rng::Rng;

/// Writes expressions.
pub struct Writer<'a> {
    /// Chance.
    pub rng: &'a mut Rng,
    /// The functions that were written on the way.
    pub functions: Vec<String>,
    playbook: &'a str,
    calls: &'a [&'a str],
    count: u32,
    /// The variable that tells one turn of the closures around from another.
    items: Vec<String>,
    /// Nothing may be registered here.
    no_undo: bool,
    /// Composite steps around.
    composites: u32,
    /// Inside of a look, where what runs out of time is looked at again, and that for long.
    looking: bool,
}

const KEEPING: [&str; 8] = [
    "switch_on",
    "add",
    "open",
    "close",
    "send",
    "order",
    "wipe",
    "purge",
];
const REVERSIBLE: [&str; 3] = ["switch_on", "add", "open"];

impl<'a> Writer<'a> {
    /// A writer of this playbook.
    pub fn new(rng: &'a mut Rng, playbook: &'a str, calls: &'a [&'a str]) -> Self {
        Self {
            rng,
            functions: Vec::new(),
            playbook,
            calls,
            count: 0,
            items: Vec::new(),
            no_undo: false,
            composites: 0,
            looking: false,
        }
    }

    /// A name that no other place has.
    fn place(&mut self, letter: &str) -> String {
        self.count += 1;
        format!("{letter}{}", self.count)
    }

    /// The same in a template: with the items of the closures around.
    fn named(&mut self, letter: &str) -> String {
        let mut name = self.place(letter);
        for item in &self.items {
            name.push_str("-${");
            name.push_str(item);
            name.push('}');
        }
        name
    }

    fn edr(&mut self) -> &'static str {
        if self.rng.permille(700) { "a" } else { "b" }
    }

    /// A call that changes something, at this place.
    fn call(&mut self, action: &str, at: &str) -> String {
        let edr = self.edr();
        format!("{edr}.{action}(#{{ run: input.run, at: `{at}` }})")
    }

    fn write(&mut self) -> String {
        let at = self.named("P");
        let action = *self.rng.pick(&KEEPING);
        let call = self.call(action, &at);
        format!("to_string({call})")
    }

    fn read(&mut self) -> String {
        let key = self.named("K");
        let edr = self.edr();
        format!("{edr}.get(#{{ key: `{key}` }}).value")
    }

    /// What is done after the script.
    pub fn afterwards(&mut self) -> String {
        self.no_undo = true;
        self.value(2)
    }

    /// A value, with so many levels of steps inside of steps.
    pub fn value(&mut self, depth: u32) -> String {
        if depth == 0 {
            return match self.rng.below(3) {
                0 => self.read(),
                _ => self.write(),
            };
        }
        let inner = depth - 1;
        match self.rng.below(27) {
            0..3 => self.write(),
            3 | 4 => self.read(),
            5 => self.clock(),
            6 => self.sleep(),
            7 | 8 => self.poll(inner),
            9 => self.retry(inner),
            10..13 => self.parallel(inner),
            13 => self.caught(inner),
            14 => self.undo(),
            15 | 16 => self.undoable(inner),
            17 | 18 => self.approve(),
            19 => self.ask(),
            20 | 21 => self.child(),
            22 => self.told(),
            23 => self.function(inner),
            24 => self.mapped(inner),
            25 => self.children(),
            _ => self.conditional(inner),
        }
    }

    fn clock(&mut self) -> String {
        let at = self.named("T");
        let edr = self.edr();
        let step = *self.rng.pick(&["to_string(now())", "uuid()"]);
        format!(
            "{{ let seen = {step}; {edr}.add(#{{ run: input.run, at: `{at}`, note: seen }}).done }}"
        )
    }

    fn sleep(&mut self) -> String {
        let time = *self.rng.pick(&["20ms", "100ms", "3s", "90s", "2h", "9d"]);
        let times = if self.composites < 2 { time } else { "100ms" };
        format!("{{ sleep(\"{times}\"); 1 }}")
    }

    fn poll(&mut self, depth: u32) -> String {
        let key = self.named("L");
        let edr = self.edr();
        let undo = std::mem::replace(&mut self.no_undo, true);
        let looking = std::mem::replace(&mut self.looking, true);
        self.composites += 1;
        let before = match self.rng.below(4) {
            0 if depth > 0 && self.composites < 3 => {
                let value = self.value(depth - 1);
                format!("let before = {value}; ")
            }
            1 => format!("let before = {}; ", self.read()),
            _ => String::new(),
        };
        self.composites -= 1;
        self.no_undo = undo;
        self.looking = looking;
        let every = *self.rng.pick(&["100ms", "5s", "1m"]);
        let (after, timeout) = match self.rng.below(5) {
            0 if !looking => (1_000_000, "2m"),
            after => (after, "60d"),
        };
        let every = if after > 1000 { "25s" } else { every };
        format!(
            "poll(|| {{ {before}{edr}.look(#{{ key: input.run + `{key}`, after: {after} }}) }}, |seen| seen.finished, \
             #{{ every: \"{every}\", timeout: \"{timeout}\" }}).finished"
        )
    }

    fn retry(&mut self, depth: u32) -> String {
        self.composites += 1;
        let value = self.value(depth);
        self.composites -= 1;
        let backoff = *self.rng.pick(&["50ms", "1s", "10m"]);
        let on = *self
            .rng
            .pick(&["", ", on: [\"conflict\", \"not_found\", \"rate_limited\"]"]);
        format!("retry(|| {value}, #{{ attempts: 3, backoff: \"{backoff}\"{on} }})")
    }

    fn parallel(&mut self, depth: u32) -> String {
        if self.composites >= 2 {
            return self.write();
        }
        let item = self.place("x");
        self.items.push(item.clone());
        self.composites += 1;
        let value = self.value(depth);
        let second = match self.rng.permille(300) {
            true => format!("let first = {}; ", self.value(depth)),
            false => String::new(),
        };
        self.composites -= 1;
        self.items.pop();
        let count = self.rng.between(1, 4);
        let list: Vec<String> = (1..=count).map(|item| item.to_string()).collect();
        let max = self.rng.between(1, 3);
        let on_error = *self.rng.pick(&["stop", "continue", "continue"]);
        format!(
            "parallel([{}], |{item}| {{ {second}{value} }}, #{{ max: {max}, on_error: \"{on_error}\" }}).map(|each| [each.state, each.value])",
            list.join(", ")
        )
    }

    fn caught(&mut self, depth: u32) -> String {
        let value = self.value(depth);
        let fails = match self.rng.below(3) {
            0 => "fail(\"caught\"); ",
            _ => "",
        };
        format!(
            "{{ let tried = 0; try {{ tried = {value}; {fails}}} catch (error) {{ tried = error.kind; }} tried }}"
        )
    }

    fn undo(&mut self) -> String {
        if self.no_undo {
            return self.read();
        }
        let at = self.named("U");
        let action = *self.rng.pick(&["switch_off", "drop_it", "close", "send"]);
        let call = self.call(action, &at);
        let more = match self.rng.below(4) {
            0 => "sleep(\"1h\"); ",
            1 => "sleep(\"50ms\"); ",
            _ => "",
        };
        format!("{{ undo(|| {{ {more}{call} }}); 2 }}")
    }

    fn undoable(&mut self, depth: u32) -> String {
        if self.no_undo {
            return self.write();
        }
        let at = self.named("R");
        let action = *self.rng.pick(&REVERSIBLE);
        let call = self.call(action, &at);
        if depth > 0 && self.rng.permille(300) {
            let value = self.value(depth - 1);
            return format!("undoable(|| {{ let other = {value}; [other, to_string({call})] }})");
        }
        format!("undoable(|| to_string({call}))")
    }

    fn approve(&mut self) -> String {
        let name = self.named("M");
        let verdict = *self
            .rng
            .pick(&["allow", "allow", "allow", "deny", "ignore"]);
        let verdict = match verdict {
            "ignore" if self.looking => "deny",
            other => other,
        };
        let approvers = self.rng.between(1, 3);
        let lead = self.rng.permille(600);
        let eyes = self.rng.permille(400);
        let mut message = format!("{name} {verdict} {approvers}");
        let mut options = String::new();
        if lead {
            message.push_str(" lead");
            options.push_str(", role: \"lead\"");
        }
        if eyes {
            message.push_str(" eyes");
            options.push_str(", four_eyes: true");
        }
        let expires = if verdict == "ignore" { "30m" } else { "60d" };
        let at = self.place("G");
        let action = *self.rng.pick(&KEEPING);
        let call = self.call(action, &format!("{at} after {message}"));
        format!(
            "{{ let agreed = approve(#{{ message: `{message}`, approvers: {approvers}, expires: \"{expires}\"{options} }}).approved_by.len(); \
             [agreed, to_string({call})] }}"
        )
    }

    fn ask(&mut self) -> String {
        let name = self.named("Q");
        let (ignore, expires) = match self.rng.permille(300) {
            true if !self.looking => (" ignore", "20m"),
            _ => ("", "60d"),
        };
        let default = if self.rng.permille(600) {
            ", default: \"red\""
        } else {
            ""
        };
        format!(
            "ask(#{{ message: `{name}{ignore}`, choices: [\"red\", \"blue\"], expires: \"{expires}\"{default} }})"
        )
    }

    fn child(&mut self) -> String {
        if self.calls.is_empty() {
            return self.write();
        }
        let name = *self.rng.pick(self.calls);
        let at = self.named("C");
        format!("call_playbook(\"{name}\", #{{ run: `${{input.run}}/{at}`, group: input.group }})")
    }

    /// A run started beside something that takes a while, in which it may end.
    fn children(&mut self) -> String {
        if self.calls.is_empty() || self.composites >= 2 {
            return self.write();
        }
        let item = self.place("z");
        self.items.push(item.clone());
        let (first, second, child) = (self.write(), self.write(), self.child());
        self.items.pop();
        format!(
            "parallel([1, 2], |{item}| {{ if {item} == 1 {{ {child} }} else {{ [{first}, {second}] }} }}, #{{ max: 2, on_error: \"continue\" }}).map(|each| each.state)"
        )
    }

    fn told(&mut self) -> String {
        let name = self.named("N");
        let value = self.read();
        match self.rng.below(5) {
            0 => format!("{{ note(`{name}`, {value}); 3 }}"),
            1 => format!("{{ artifact(\"{}.json\", [{value}, 1.5]); 3 }}", self.playbook),
            2 => format!("{{ log(`{name}`, \"warn\"); {value} }}"),
            3 => format!("{{ progress(`{name}`, 50); {value} }}"),
            // A large result is kept apart from the journal.
            _ => "{ let all = \"0123456789\"; for i in 0..13 { all += all; } parallel([1], |_one| all)[0].value.len() }".to_owned(),
        }
    }

    fn function(&mut self, depth: u32) -> String {
        let name = self.place("f");
        let value = self.value(depth);
        let items = self.items.clone();
        let more: String = items.iter().map(|item| format!(", {item}")).collect();
        let function = format!("fn {name}(input, a, b{more}) {{ {value} }}\n");
        self.functions.push(function);
        format!("{name}(input, a, b{more})")
    }

    fn mapped(&mut self, depth: u32) -> String {
        let item = self.place("y");
        self.items.push(item.clone());
        let value = self.value(depth);
        self.items.pop();
        format!("[1, 2].map(|{item}| {value})")
    }

    fn conditional(&mut self, depth: u32) -> String {
        let read = self.read();
        let (one, other) = (self.value(depth), self.value(depth));
        format!("if {read}.len() > 3 {{ {one} }} else {{ {other} }}")
    }
}
