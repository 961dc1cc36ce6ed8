//! Imports what nobody gives.

use cordon_sdk::{Connector, Result};

struct Stranger;

cordon_sdk::connector!(Stranger, inline: "
    package guests:stranger@0.1.0;

    interface crystal-ball {
        look: func() -> string;
    }

    interface work {
        use cordon:connector/errors@0.1.0.{error};

        /// What the crystal ball says.
        foretell: func() -> result<string, error>;
    }

    world stranger {
        include cordon:connector/connector@0.1.0;
        import crystal-ball;
        export work;
    }
");

impl Connector for Stranger {}

impl wit::work::Actions for Stranger {
    fn foretell() -> Result<String> {
        Ok(__cordon::bindings::guests::stranger::crystal_ball::look())
    }
}
