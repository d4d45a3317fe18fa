//! Prints the words that the build script has downloaded.

/// Empty if the program was built without a network.
const WORDS: &str = include_str!(concat!(env!("OUT_DIR"), "/words.txt"));

fn main() {
    match WORDS.lines().count() {
        0 => println!("no words: the program was built without a network"),
        count => println!("{count} words: {}", WORDS.lines().collect::<Vec<_>>().join(", ")),
    }
}
