//! Says that it returns JSON.

use cordon_sdk::{Connector, Result};

struct Lie;

cordon_sdk::connector!(Lie, inline: "
    package guests:lie-about-json@0.1.0;

    interface work {
        use cordon:connector/errors@0.1.0.{error};
        use cordon:connector/types@0.1.0.{json};

        /// What is promised.
        honest: func() -> result<json, error>;
        /// What is kept.
        lie: func() -> result<json, error>;
    }

    world lie-about-json {
        include cordon:connector/connector@0.1.0;
        export work;
    }
");

impl Connector for Lie {}

impl wit::work::Actions for Lie {
    fn honest() -> Result<String> {
        Ok("{\"yes\": true}".to_owned())
    }

    fn lie() -> Result<String> {
        Ok("<html>no</html>".to_owned())
    }
}
