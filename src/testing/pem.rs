//! The textual encoding of certificates and keys (RFC 7468).

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Characters on a line (RFC 7468 §2).
const LINE: usize = 64;

pub(super) fn encode(label: &str, der: &[u8]) -> String {
    let mut text = format!("-----BEGIN {label}-----\n");
    for (count, group) in der.chunks(3).enumerate() {
        if count > 0 && count % (LINE / 4) == 0 {
            text.push('\n');
        }
        let bits = (0..3).fold(0, |bits, at| bits << 8 | u32::from(*group.get(at).unwrap_or(&0)));
        for at in 0..4 {
            let sextet = (bits >> (18 - 6 * at)) & 0x3f;
            // A group of n bytes fills n + 1 characters; the rest is padding (RFC 4648 §4).
            text.push(if at <= group.len() { char::from(ALPHABET[sextet as usize]) } else { '=' });
        }
    }
    text.push_str(&format!("\n-----END {label}-----\n"));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_padded_and_lines_are_cut() {
        let body = |der: &[u8]| {
            let text = encode("X", der);
            let text = text.strip_prefix("-----BEGIN X-----\n").unwrap();
            text.strip_suffix("\n-----END X-----\n").unwrap().to_owned()
        };
        // RFC 4648 §10.
        for (der, text) in [("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")]
        {
            assert_eq!(body(der.as_bytes()), text);
        }
        assert_eq!(body(&[0; 48]), "A".repeat(64));
        assert_eq!(body(&[0; 51]), format!("{}\nAAAA", "A".repeat(64)));
    }
}
