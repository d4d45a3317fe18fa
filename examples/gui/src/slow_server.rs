//! A picture on a server of our own, which sends it in three seconds.

use std::error::Error;
use std::io::Cursor;

use image::{ImageFormat, Rgb, RgbImage};
use urlsession::testing::{Answer, Server};

pub fn start() -> Result<Server, Box<dyn Error>> {
    let picture = RgbImage::from_fn(320, 240, |x, y| {
        let hills = 170 - ((x as f32 / 23.0).sin() * 25.0) as i32;
        let (x, y) = (x as i32, y as i32);
        if y > hills {
            Rgb([30, 100 + (y / 6) as u8, 80 + (x / 8) as u8])
        } else if (x - 240).pow(2) + (y - 60).pow(2) < 40 * 40 {
            Rgb([250, 200, 60])
        } else {
            Rgb([150 + (y / 3) as u8, 200, 240])
        }
    });
    let mut encoded = Cursor::new(Vec::new());
    picture.write_to(&mut encoded, ImageFormat::Png)?;
    let encoded = encoded.into_inner();
    let server = Server::start();
    server.handle(move |_| {
        let each_second = (encoded.len() as u64 / 3).max(1);
        Answer::ok(&encoded).header("Content-Type", "image/png").drip(each_second)
    });
    Ok(server)
}
