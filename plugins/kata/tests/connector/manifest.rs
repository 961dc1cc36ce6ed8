use cordon_kata::Kata;
use cordon_sdk::harness::check_manifest;

#[test]
fn the_manifest_says_something_about_every_action_and_names_nothing_that_is_not_there() {
    check_manifest::<Kata>();
}
