//! BER as DER (ITU-T X.690 §8, §10).
//!
//! BER leaves choices that DER does not, and some tools use them: lengths that are not the
//! shortest, lengths that are given by an end, strings in pieces. What is read here is written
//! anew without them, so that one reader does for both.

/// How deep elements may lie in each other.
const DEEPEST: usize = 64;

const CONSTRUCTED: u8 = 0x20;

const BIT_STRING: u8 = 3;

/// Returns the one element of `ber` as DER; `None` if it is broken, or something stands behind
/// it.
///
/// What is inside of strings is left as it is. Of what depends on the type, such as the order of
/// a set, nothing is changed.
pub(super) fn to_der(ber: &[u8]) -> Option<Vec<u8>> {
    let mut der = Vec::with_capacity(ber.len());
    convert(ber, DEEPEST, &mut der)?.is_empty().then_some(der)
}

/// Returns how long the first element of DER is, tag and length included; all, if that cannot be
/// told.
pub(super) fn length_of_first(der: &[u8]) -> usize {
    let length = header(der).and_then(|header| {
        let before = der.len() - header.behind.len();
        before.checked_add(header.length?).filter(|length| *length <= der.len())
    });
    length.unwrap_or(der.len())
}

/// Tag and length of an element (X.690 §8.1.2, §8.1.3).
struct Header<'a> {
    tag: &'a [u8],
    /// `None`: up to an end (§8.1.3.6).
    length: Option<usize>,
    behind: &'a [u8],
}

fn header(ber: &[u8]) -> Option<Header<'_>> {
    let more = match ber.first()? & 0x1f {
        0x1f => ber[1..].iter().position(|byte| byte & 0x80 == 0)? + 1,
        _ => 0,
    };
    let (tag, behind) = ber.split_at(1 + more);
    let (&first, behind) = behind.split_first()?;
    let (length, behind) = match first {
        0..0x80 => (Some(usize::from(first)), behind),
        0x80 => (None, behind),
        _ => {
            let (digits, behind) = behind.split_at_checked(usize::from(first & 0x7f))?;
            let number = digits.iter().try_fold(0_usize, |number, digit| {
                Some(number.checked_mul(256)? | usize::from(*digit))
            });
            (Some(number?), behind)
        }
    };
    Some(Header { tag, length, behind })
}

/// Writes the first element, and returns what stands behind it.
fn convert<'a>(ber: &'a [u8], depth: usize, der: &mut Vec<u8>) -> Option<&'a [u8]> {
    let Header { tag, length, behind } = header(ber)?;
    let (mut rest, mut after) = match length {
        Some(length) => behind.split_at_checked(length).map(|(rest, after)| (rest, Some(after)))?,
        None => (behind, None),
    };
    if tag[0] & CONSTRUCTED == 0 {
        write(tag, rest, der);
        return after;
    }
    let depth = depth.checked_sub(1)?;
    let mut content = Vec::new();
    loop {
        match after {
            Some(_) if rest.is_empty() => break,
            None if rest.starts_with(&[0, 0]) => {
                after = Some(&rest[2..]);
                break;
            }
            _ if is_string(tag) => rest = convert_piece(tag[0], rest, depth, &mut content)?,
            _ => rest = convert(rest, depth, &mut content)?,
        }
    }
    match is_string(tag) {
        true => write(&[tag[0] & !CONSTRUCTED], &content, der),
        false => write(tag, &content, der),
    }
    after
}

/// Adds the first element, which is a piece of a string, to the string (X.690 §8.7.3).
fn convert_piece<'a>(
    tag: u8,
    ber: &'a [u8],
    depth: usize,
    content: &mut Vec<u8>,
) -> Option<&'a [u8]> {
    let mut piece = Vec::new();
    let rest = convert(ber, depth, &mut piece)?;
    let Header { tag: found, behind, .. } = header(&piece)?;
    let tag = tag & !CONSTRUCTED;
    if found != [tag] {
        return None;
    }
    if tag != BIT_STRING {
        content.extend_from_slice(behind);
        return Some(rest);
    }
    // §8.6.4: the first byte counts the bits that the last lacks, and only the last piece may.
    let (&unused, bits) = behind.split_first()?;
    match content.first_mut() {
        None => content.push(unused),
        Some(0) => content[0] = unused,
        Some(_) => return None,
    }
    content.extend_from_slice(bits);
    Some(rest)
}

/// Whether it is a string in pieces, of bits, bytes or characters.
fn is_string(tag: &[u8]) -> bool {
    matches!(tag, [tag] if matches!(tag & !CONSTRUCTED, BIT_STRING | 4 | 12 | 18..=22 | 25..=30))
}

/// Writes an element with a length as short as it can be (X.690 §10.1).
fn write(tag: &[u8], content: &[u8], der: &mut Vec<u8>) {
    der.extend_from_slice(tag);
    let length = content.len().to_be_bytes();
    let digits = &length[length.iter().take_while(|&&digit| digit == 0).count()..];
    match *digits {
        [] => der.push(0),
        [one @ 0..0x80] => der.push(one),
        _ => {
            der.push(0x80 | digits.len() as u8);
            der.extend_from_slice(digits);
        }
    }
    der.extend_from_slice(content);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_der_already_stays_and_what_is_not_is_written_anew() {
        for (ber, der) in [
            (&[0x05, 0][..], Some(&[0x05, 0][..])),
            (&[0x30, 3, 2, 1, 7], Some(&[0x30, 3, 2, 1, 7])),
            // Lengths that are longer than they need be.
            (&[0x04, 0x81, 1, 9], Some(&[0x04, 1, 9])),
            (&[0x30, 0x84, 0, 0, 0, 3, 2, 1, 7], Some(&[0x30, 3, 2, 1, 7])),
            (&[0x04, 0x89, 0, 0, 0, 0, 0, 0, 0, 0, 1, 9], Some(&[0x04, 1, 9])),
            // Lengths that are given by an end, in each other.
            (&[0x30, 0x80, 2, 1, 7, 0, 0], Some(&[0x30, 3, 2, 1, 7])),
            (&[0x30, 0x80, 0x31, 0x80, 0, 0, 5, 0, 0, 0], Some(&[0x30, 4, 0x31, 0, 5, 0])),
            (&[0x30, 0x80, 0xa0, 2, 5, 0, 0, 0], Some(&[0x30, 4, 0xa0, 2, 5, 0])),
            // Strings in pieces.
            (&[0x24, 0x80, 4, 1, 1, 4, 2, 2, 3, 0, 0], Some(&[0x04, 3, 1, 2, 3])),
            (&[0x24, 7, 0x24, 2, 4, 0, 4, 1, 5], Some(&[0x04, 1, 5])),
            (&[0x24, 0x80, 0, 0], Some(&[0x04, 0])),
            (&[0x23, 0x80, 3, 2, 0, 1, 3, 2, 4, 0xf0, 0, 0], Some(&[0x03, 3, 4, 1, 0xf0])),
            (&[0x2c, 0x80, 12, 1, b'a', 12, 1, b'b', 0, 0], Some(b"\x0c\x02ab")),
            // What is only implied to be a string is not known to be one.
            (&[0xa0, 0x80, 4, 1, 1, 0, 0], Some(&[0xa0, 3, 4, 1, 1])),
            (&[0xbf, 0x81, 0x01, 0x80, 5, 0, 0, 0], Some(&[0xbf, 0x81, 0x01, 2, 5, 0])),
            // Broken.
            (&[], None),
            (&[0x30], None),
            (&[0x1f, 0x81], None),
            (&[0x04, 2, 1], None),
            (&[0x04, 0x80, 0, 0], None),
            (&[0x04, 0x82, 1], None),
            (&[0x04, 0xff], None),
            (&[0x30, 0x80, 2, 1, 7], None),
            (&[0x30, 0x80, 2, 1, 7, 0], None),
            (&[0x30, 2, 2, 1], None),
            (&[0x05, 0, 0], None),
            (&[0x24, 2, 5, 0], None),
            (&[0x24, 0x80, 2, 1, 1, 0, 0], None),
            (&[0x23, 0x80, 3, 2, 4, 0xf0, 3, 2, 0, 1, 0, 0], None),
            (&[0x23, 2, 3, 0], None),
        ] {
            assert_eq!(to_der(ber).as_deref(), der, "{ber:02x?}");
        }
        let long = [&[0x04, 0x83, 0, 0x12, 0x34][..], &[7; 0x1234]].concat();
        assert_eq!(to_der(&long).unwrap()[..4], [0x04, 0x82, 0x12, 0x34]);
    }

    #[test]
    fn the_first_element_is_told_from_what_stands_behind_it() {
        for (der, length) in [
            (&[0x30, 1, 9, 0x30, 0][..], 3),
            (&[0x30, 0x81, 1, 9, 7], 4),
            (&[0x30, 0], 2),
            (&[0x30, 2, 9], 3),
            (&[0x30, 0x80, 0, 0], 4),
            (&[0x30, 0x88, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], 10),
            (&[], 0),
        ] {
            assert_eq!(length_of_first(der), length, "{der:02x?}");
        }
    }

    #[test]
    fn what_lies_deeper_than_anything_is_refused() {
        let nested = |depth: usize| [[0x30, 0x80].repeat(depth), vec![0; 2 * depth]].concat();
        assert!(to_der(&nested(DEEPEST)).is_some());
        assert!(to_der(&nested(DEEPEST + 1)).is_none());
        assert!(to_der(&[0x30, 0x80].repeat(100_000)).is_none());
    }
}
