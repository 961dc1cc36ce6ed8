//! Tries to get hold of a secret: by having the product echo it, and by writing its placeholder
//! where a program that searched text for placeholders would fill it in.

use cordon_sdk::manifest::{Action, Credential, Manifest};
use cordon_sdk::secret::credential;
use cordon_sdk::{Connector, Error, Result, http, log};

struct Echo;

cordon_sdk::connector!(Echo, inline: "
    package guests:echo@0.1.0;

    interface mirror {
        use cordon:connector/errors@0.1.0.{error};
        use cordon:connector/types@0.1.0.{secret};

        /// Sends the token where it belongs and returns what the product answers.
        authorized: func() -> result<string, error>;
        /// The same, and fails with the answer.
        fail: func() -> result<string, error>;
        /// The same, and logs and prints the answer.
        tell: func() -> result<string, error>;
        /// Sends a text in the body and returns the answer.
        say: func(text: string) -> result<string, error>;
        /// Sends a secret that the playbook passed and returns the answer.
        pass: func(value: secret) -> result<string, error>;
    }

    world echo {
        include cordon:connector/connector@0.1.0;
        export mirror;
    }
");

impl Connector for Echo {
    fn manifest() -> Manifest {
        Manifest::of::<Self>()
            .credential(
                Credential::secret("token")
                    .required()
                    .help("What the mirror gives back."),
            )
            .action(Action::read("authorized"))
            .action(Action::read("fail"))
            .action(Action::read("tell"))
            .action(Action::read("say"))
            .action(Action::read("pass"))
    }
}

fn echoed() -> Result<String> {
    let answer = http::get(["echo"])
        .bearer(credential("token"))
        .header("x-basic", http::Value::basic("user", credential("token")))
        .query("token", credential("token"))
        .send()?;
    let headers = answer.header("x-echo").unwrap_or_default().to_owned();
    Ok(format!(
        "{headers}\n{}",
        String::from_utf8_lossy(answer.body())
    ))
}

impl wit::mirror::Actions for Echo {
    fn authorized() -> Result<String> {
        echoed()
    }

    fn fail() -> Result<String> {
        let answer = echoed()?;
        Err(Error::conflict(answer.clone()).details(&serde_json::json!({ "answer": answer })))
    }

    fn tell() -> Result<String> {
        let answer = echoed()?;
        log::warn!("{answer}");
        eprintln!("{answer}");
        Ok(answer)
    }

    fn say(text: String) -> Result<String> {
        let answer = http::post(["echo"])
            .body("text/plain", text.into())
            .safe_to_repeat()
            .send()?;
        Ok(String::from_utf8_lossy(answer.body()).into_owned())
    }

    fn pass(value: wit::mirror::Secret) -> Result<String> {
        let answer = http::get(["echo"])
            .header("x-passed", cordon_sdk::secret::argument(value))
            .send()?;
        Ok(String::from_utf8_lossy(answer.body()).into_owned())
    }
}
