//! Gives back what it gets, in every type that an action can use.

use cordon_sdk::{Connector, Result};

struct Values;

cordon_sdk::connector!(Values, inline: "
    package guests:values@0.1.0;

    /// Every function returns its argument.
    interface identity {
        use cordon:connector/errors@0.1.0.{error};
        use cordon:connector/types@0.1.0.{duration, size, timestamp, json};

        enum direction { inbound, outbound, both-ways }
        flags rights { read, write-back, run }
        variant shape { nothing, circle(f64), box(tuple<u32, u32>) }
        record point { x: s32, y: s32, label: option<string> }
        record everything {
            numbers: tuple<u8, s8, u16, s16, u32, s32, u64, s64>,
            floats: tuple<f32, f64>,
            letter: char,
            points: list<point>,
            bytes: list<u8>,
            direction: direction,
            rights: rights,
            shape: shape,
            nested: option<option<string>>,
            outcome: result<point, string>,
            silent: result,
            duration: duration,
            size: size,
            timestamp: timestamp,
            json: json,
        }

        whole: func(value: everything) -> result<everything, error>;
        maybe: func(value: option<everything>) -> result<option<everything>, error>;
        lists: func(value: list<list<shape>>) -> result<list<list<shape>>, error>;
        open: func(value: json) -> result<json, error>;
        nothing: func() -> result<_, error>;
    }

    world values {
        include cordon:connector/connector@0.1.0;
        export identity;
    }
");

use wit::identity::{Everything, Shape};

impl Connector for Values {}

impl wit::identity::Actions for Values {
    fn whole(value: Everything) -> Result<Everything> {
        Ok(value)
    }

    fn maybe(value: Option<Everything>) -> Result<Option<Everything>> {
        Ok(value)
    }

    fn lists(value: Vec<Vec<Shape>>) -> Result<Vec<Vec<Shape>>> {
        Ok(value)
    }

    fn open(value: String) -> Result<String> {
        Ok(value)
    }

    fn nothing() -> Result<()> {
        Ok(())
    }
}
