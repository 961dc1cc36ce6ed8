//! Its manifest speaks of an action that it does not have.

use cordon_sdk::manifest::{Action, Manifest};
use cordon_sdk::{Connector, Result};

struct Lie;

cordon_sdk::connector!(Lie, inline: "
    package guests:lie-about-actions@0.1.0;

    interface work {
        use cordon:connector/errors@0.1.0.{error};

        /// What it really has.
        isolate: func(host: string) -> result<_, error>;
    }

    world lie-about-actions {
        include cordon:connector/connector@0.1.0;
        export work;
    }
");

impl Connector for Lie {
    fn manifest() -> Manifest {
        Manifest::of::<Self>().action(Action::reversible("isolate", "release"))
    }
}

impl wit::work::Actions for Lie {
    fn isolate(_: String) -> Result<()> {
        Ok(())
    }
}
