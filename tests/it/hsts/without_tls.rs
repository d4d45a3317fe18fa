//! A build that cannot speak TLS, of a program that has been able to.

use urlsession::{Configuration, ErrorKind, Session};

use crate::support::folder::Folder;

#[test]
fn a_known_host_fails_and_says_what_is_missing() {
    let folder = Folder::new();
    std::fs::create_dir(folder.path().join("shop")).unwrap();
    folder.file("shop/hsts", "urlsession hsts 1 ef326393\nshop.test 4102444800\n");
    let server = urlsession::testing::Server::start();
    let address = server.address();
    let mut configuration = Configuration::default().program("shop");
    configuration.state_directory = Some(folder.path().to_owned());
    configuration.resolver = Some(urlsession::Resolver::new(move |_, _| Ok(vec![address])));
    let session = Session::new(configuration).unwrap();
    let error = session.data("http://shop.test/").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotSupported);
    assert!(error.to_string().contains("`tls`"), "{error}");
    assert_eq!(server.request_count(), 0);
}
