//! An action that cannot fail, which no action may claim.

use cordon_sdk::Connector;

struct Shapeless;

cordon_sdk::connector!(Shapeless, inline: "
    package guests:shapeless@0.1.0;

    interface work {
        /// Returns no result.
        always: func(host: string) -> string;
    }

    world shapeless {
        include cordon:connector/connector@0.1.0;
        export work;
    }
");

impl Connector for Shapeless {}

impl wit::work::Actions for Shapeless {
    fn always(host: String) -> String {
        host
    }
}
