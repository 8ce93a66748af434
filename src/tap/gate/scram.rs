//! SCRAM-SHA-256 (RFC 5802, 7677) as a server speaks it, without channel binding.
//!
//! `postgres-protocol` has the client's side only. Pure: texts come and go, nothing is sent here.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

/// The server's default. The password is random, so that more of them would gain nothing.
const ITERATIONS: u32 = 4096;

/// Bytes of a block of SHA-256, up to which HMAC takes a key as it is.
const BLOCK_BYTES: usize = 64;

/// Why an exchange came to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It is no SCRAM-SHA-256 of ours.
    Malformed,
    WrongPassword,
}

/// What has to be known of a password to check it.
#[derive(Debug)]
pub struct Verifier {
    salt: [u8; 16],
    stored_key: [u8; 32],
    server_key: [u8; 32],
}

/// An exchange of which the first two messages are known.
#[derive(Debug)]
pub struct Exchange {
    /// As it begins the client's first message: how it binds channels, which it does not.
    header: String,
    first_bare: String,
    nonce: String,
    /// The server's answer to it.
    pub server_first: String,
}

impl Verifier {
    /// Of a password of at most 64 ASCII letters and digits, which are what they are in any
    /// normal form.
    pub fn of(password: &str) -> Verifier {
        let salt: [u8; 16] = rand::random();
        let salted = salted(password.as_bytes(), &salt);
        let client_key = mac(&salted, b"Client Key");
        Verifier {
            salt,
            stored_key: Sha256::digest(client_key).into(),
            server_key: mac(&salted, b"Server Key"),
        }
    }

    /// Answers a client's first message.
    pub fn begin(&self, first: &str) -> Result<Exchange, Refusal> {
        let own: [u8; 18] = rand::random();
        self.begin_with(first, &STANDARD.encode(own))
    }

    fn begin_with(&self, first: &str, own_nonce: &str) -> Result<Exchange, Refusal> {
        // n: no channel binding. y: it could, and was not offered any.
        let header = ["n,,", "y,,"].into_iter().find(|header| first.starts_with(header));
        let header = header.ok_or(Refusal::Malformed)?;
        let first_bare = &first[header.len()..];
        // The name is left empty by some: that of the startup packet counts.
        let mut parts = first_bare.split(',');
        let (name, nonce) = (parts.next(), parts.next());
        name.and_then(|name| name.strip_prefix("n=")).ok_or(Refusal::Malformed)?;
        let nonce = nonce.and_then(|nonce| nonce.strip_prefix("r=")).ok_or(Refusal::Malformed)?;
        let nonce = format!("{nonce}{own_nonce}");
        let salt = STANDARD.encode(self.salt);
        let server_first = format!("r={nonce},s={salt},i={ITERATIONS}");
        let (header, first_bare) = (header.to_owned(), first_bare.to_owned());
        Ok(Exchange { header, first_bare, nonce, server_first })
    }

    /// Checks a client's last message. Returns the server's, by which the client knows that the
    /// server knows the password.
    pub fn finish(&self, exchange: &Exchange, last: &str) -> Result<String, Refusal> {
        let (without_proof, proof) = last.rsplit_once(",p=").ok_or(Refusal::Malformed)?;
        let binding = STANDARD.encode(&exchange.header);
        let wanted = format!("c={binding},r={}", exchange.nonce);
        let is_ours = without_proof == wanted || without_proof.starts_with(&format!("{wanted},"));
        if !is_ours {
            return Err(Refusal::Malformed);
        }
        let proof = STANDARD.decode(proof).map_err(|_| Refusal::Malformed)?;
        let proof: [u8; 32] = proof.try_into().map_err(|_| Refusal::Malformed)?;
        let said = [&exchange.first_bare, &exchange.server_first, without_proof].join(",");
        let signature = mac(&self.stored_key, said.as_bytes());
        let mut client_key = proof;
        client_key.iter_mut().zip(signature).for_each(|(key, byte)| *key ^= byte);
        let stored: [u8; 32] = Sha256::digest(client_key).into();
        // Compared without an early end, as far as that goes.
        let differ = stored.iter().zip(self.stored_key).fold(0, |all, (a, b)| all | (a ^ b));
        if differ != 0 {
            return Err(Refusal::WrongPassword);
        }
        Ok(format!("v={}", STANDARD.encode(mac(&self.server_key, said.as_bytes()))))
    }
}

/// PBKDF2 of one block.
fn salted(password: &[u8], salt: &[u8; 16]) -> [u8; 32] {
    let mut last = mac(password, &[&salt[..], &[0, 0, 0, 1]].concat());
    let mut all = last;
    for _ in 1..ITERATIONS {
        last = mac(password, &last);
        all.iter_mut().zip(last).for_each(|(all, last)| *all ^= last);
    }
    all
}

/// HMAC by a key of at most a block; what a longer one has beyond is ignored.
fn mac(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mut block = [0; BLOCK_BYTES];
    block.iter_mut().zip(key).for_each(|(to, from)| *to = *from);
    let mut mac = Hmac::<Sha256>::new(&block.into());
    mac.update(message);
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use postgres_protocol::authentication::sasl::{ChannelBinding, ScramSha256};

    use super::*;

    fn exchange(verifier: &Verifier, password: &str) -> Result<(ScramSha256, String), Refusal> {
        let mut client = ScramSha256::new(password.as_bytes(), ChannelBinding::unsupported());
        let first = String::from_utf8(client.message().to_vec()).expect("text");
        let exchange = verifier.begin(&first)?;
        client.update(exchange.server_first.as_bytes()).expect("a server's first message");
        let last = String::from_utf8(client.message().to_vec()).expect("text");
        Ok((client, verifier.finish(&exchange, &last)?))
    }

    #[test]
    fn a_driver_and_its_server_agree_on_the_password() {
        let verifier = Verifier::of("s3cret");
        let (mut client, last) = exchange(&verifier, "s3cret").expect("the password is right");
        client.finish(last.as_bytes()).expect("the server knows the password as well");
    }

    #[rstest::rstest]
    #[case("")]
    #[case("s3cret ")]
    #[case("S3cret")]
    fn another_password_is_wrong(#[case] password: &str) {
        let verifier = Verifier::of("s3cret");
        assert_eq!(exchange(&verifier, password).map(|_| ()), Err(Refusal::WrongPassword));
    }

    /// The example of RFC 7677, section 3.
    #[test]
    fn the_example_of_the_standard_comes_out() {
        let salt = STANDARD.decode("W22ZaJ0SNY7soEsUEjb6gQ==").expect("base64");
        let salt: [u8; 16] = salt.try_into().expect("sixteen bytes");
        let salted = salted(b"pencil", &salt);
        let verifier = Verifier {
            salt,
            stored_key: Sha256::digest(mac(&salted, b"Client Key")).into(),
            server_key: mac(&salted, b"Server Key"),
        };
        let first = "n,,n=user,r=rOprNGfwEbeRWgbNEkqO";
        let exchange = verifier.begin_with(first, "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0");
        let exchange = exchange.expect("a first message");
        assert_eq!(
            exchange.server_first,
            "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
        );
        let last = "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
                    p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
        let answer = verifier.finish(&exchange, last).expect("the proof of the standard");
        assert_eq!(answer, "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
    }

    #[rstest::rstest]
    #[case("")]
    #[case("p=tls-server-end-point,,n=,r=x")]
    #[case("n,a=another,n=,r=x")]
    #[case("n,,r=x")]
    #[case("n,,m=extension,n=,r=x")]
    fn what_begins_otherwise_is_refused(#[case] first: &str) {
        assert_eq!(Verifier::of("x").begin(first).map(|_| ()), Err(Refusal::Malformed));
    }

    #[rstest::rstest]
    #[case("")]
    #[case("c=biws,r=other,p=AAAA")]
    #[case("c=eSws,r=NONCE,p=AAAA")]
    #[case("c=biws,r=NONCE")]
    #[case("c=biws,r=NONCE,p=!!")]
    #[case("c=biws,r=NONCE,p=AAAA")]
    fn what_ends_otherwise_is_refused(#[case] last: &str) {
        let verifier = Verifier::of("x");
        let exchange = verifier.begin("n,,n=,r=abc").expect("a first message");
        let last = last.replace("NONCE", &exchange.nonce);
        assert_eq!(verifier.finish(&exchange, &last), Err(Refusal::Malformed));
    }
}
