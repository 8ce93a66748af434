//! How far a server's certificate is checked: libpq's `sslmode` and `sslrootcert`.
//!
//! | sslmode | without a root certificate | with one |
//! |---|---|---|
//! | disable | no TLS | no TLS |
//! | allow, prefer | TLS where the server offers it, unchecked | the same |
//! | require | TLS, unchecked | as verify-ca |
//! | verify-ca | refused | the certificate is signed by the root |
//! | verify-full | refused | and it is the host's |
//!
//! `sslrootcert=system` takes the system's roots, and is for verify-full alone. Where no file is
//! named, ~/.postgresql/root.crt is one if it is there. libpq's `allow` begins without TLS; here it
//! is `prefer`.

use std::path::PathBuf;

use super::address_error::AddressError;

/// What `sslmode` asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    Disable,
    #[default]
    Prefer,
    Require,
    VerifyCa,
    VerifyFull,
}

impl Mode {
    pub fn parse(text: &str) -> Result<Mode, AddressError> {
        Ok(match text {
            "disable" => Mode::Disable,
            "allow" | "prefer" => Mode::Prefer,
            "require" => Mode::Require,
            "verify-ca" => Mode::VerifyCa,
            "verify-full" => Mode::VerifyFull,
            _ => return Err(AddressError::SslMode { mode: text.to_owned() }),
        })
    }
}

/// Whose signature a certificate must have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Roots {
    /// Nobody's.
    #[default]
    None,
    System,
    File(PathBuf),
}

/// How connections to a server are encrypted.
#[derive(Clone, Default)]
pub struct Tls {
    pub mode: Mode,
    #[cfg(feature = "tls")]
    connector: Option<verified::Connector>,
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.mode.fmt(f)
    }
}

#[cfg(feature = "tls")]
pub type Connector = verified::Connector;
#[cfg(not(feature = "tls"))]
pub type Connector = tokio_postgres::tls::NoTls;

impl Tls {
    /// Reads what the mode needs.
    pub fn new(mode: Mode, roots: Roots) -> Result<Tls, AddressError> {
        let mode = match (mode, &roots) {
            (Mode::Require, Roots::File(_)) => Mode::VerifyCa,
            (Mode::VerifyCa | Mode::VerifyFull, Roots::None) => return Err(AddressError::NoRoot),
            (Mode::Disable | Mode::VerifyFull, _) | (_, Roots::None | Roots::File(_)) => mode,
            (_, Roots::System) => return Err(AddressError::SystemRoots),
        };
        #[cfg(feature = "tls")]
        {
            let connector = match mode {
                Mode::Disable => None,
                _ => Some(verified::connector(mode, &roots)?),
            };
            Ok(Tls { mode, connector })
        }
        #[cfg(not(feature = "tls"))]
        match mode {
            // Without TLS `prefer` is what it is with a server that offers none.
            Mode::Disable | Mode::Prefer => Ok(Tls { mode: Mode::Disable }),
            _ => Err(AddressError::NotBuilt),
        }
    }

    /// Connections are plain.
    pub fn disabled() -> Tls {
        Tls {
            mode: Mode::Disable,
            #[cfg(feature = "tls")]
            connector: None,
        }
    }

    /// None: connections are plain.
    pub fn connector(&self) -> Option<Connector> {
        #[cfg(feature = "tls")]
        return self.connector.clone();
        #[cfg(not(feature = "tls"))]
        None
    }
}

#[cfg(feature = "tls")]
mod verified {
    //! The same by rustls.

    use std::sync::Arc;

    use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
    use rustls::client::{WebPkiServerVerifier, verify_server_name};
    use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
    use rustls::pki_types::pem::PemObject;
    use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
    use rustls::server::ParsedCertificate;
    use rustls::{
        CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore,
        SignatureScheme,
    };
    use tokio_postgres_rustls::MakeRustlsConnect;

    use super::{AddressError, Mode, Roots};

    pub type Connector = MakeRustlsConnect;

    pub fn connector(mode: Mode, roots: &Roots) -> Result<Connector, AddressError> {
        let provider = Arc::new(ring::default_provider());
        let trusted = match roots {
            Roots::System => {
                let native = MakeRustlsConnect::with_native_certs();
                return native.map(|(made, _)| made).map_err(|_| AddressError::NoSystemRoots);
            }
            Roots::File(path) if matches!(mode, Mode::VerifyCa | Mode::VerifyFull) => {
                Some(Trusted::read(path, &provider)?)
            }
            Roots::File(_) | Roots::None => None,
        };
        let is_full = mode == Mode::VerifyFull;
        let verifier = Arc::new(Verifier { trusted, is_full, provider: Arc::clone(&provider) });
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| AddressError::Tls { why: error.to_string() })?;
        let config = config.dangerous().with_custom_certificate_verifier(verifier);
        Ok(MakeRustlsConnect::new(config.with_no_client_auth()))
    }

    /// The certificates of a file.
    #[derive(Debug)]
    struct Trusted {
        certificates: Vec<CertificateDer<'static>>,
        chain: Arc<WebPkiServerVerifier>,
    }

    impl Trusted {
        fn read(
            path: &std::path::Path,
            provider: &Arc<CryptoProvider>,
        ) -> Result<Trusted, AddressError> {
            let fail = |why: String| AddressError::Root { path: path.to_owned(), why };
            let read = CertificateDer::pem_file_iter(path).map_err(|e| fail(e.to_string()))?;
            let certificates: Result<Vec<_>, _> = read.collect();
            let certificates = certificates.map_err(|e| fail(e.to_string()))?;
            let mut store = RootCertStore::empty();
            store.add_parsable_certificates(certificates.iter().cloned());
            let chain =
                WebPkiServerVerifier::builder_with_provider(store.into(), Arc::clone(provider));
            let chain = chain.build().map_err(|e| fail(e.to_string()))?;
            Ok(Trusted { certificates, chain })
        }
    }

    #[derive(Debug)]
    struct Verifier {
        /// None: any certificate will do.
        trusted: Option<Trusted>,
        is_full: bool,
        provider: Arc<CryptoProvider>,
    }

    impl ServerCertVerifier for Verifier {
        fn verify_server_cert(
            &self,
            end_entity: &CertificateDer<'_>,
            intermediates: &[CertificateDer<'_>],
            server_name: &ServerName<'_>,
            ocsp_response: &[u8],
            now: UnixTime,
        ) -> Result<ServerCertVerified, Error> {
            let Some(trusted) = &self.trusted else { return Ok(ServerCertVerified::assertion()) };
            // A self-signed certificate that is named as its own root, as OpenSSL takes it.
            if trusted.certificates.iter().any(|known| known == end_entity) {
                if self.is_full {
                    verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
                }
                return Ok(ServerCertVerified::assertion());
            }
            let verified = trusted.chain.verify_server_cert(
                end_entity,
                intermediates,
                server_name,
                ocsp_response,
                now,
            );
            match verified {
                // The name is looked at last, when all else is right.
                Err(Error::InvalidCertificate(
                    CertificateError::NotValidForName
                    | CertificateError::NotValidForNameContext { .. },
                )) if !self.is_full => Ok(ServerCertVerified::assertion()),
                verified => verified,
            }
        }

        fn verify_tls12_signature(
            &self,
            message: &[u8],
            cert: &CertificateDer<'_>,
            dss: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            let known = &self.provider.signature_verification_algorithms;
            verify_tls12_signature(message, cert, dss, known)
        }

        fn verify_tls13_signature(
            &self,
            message: &[u8],
            cert: &CertificateDer<'_>,
            dss: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            let known = &self.provider.signature_verification_algorithms;
            verify_tls13_signature(message, cert, dss, known)
        }

        fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
            self.provider.signature_verification_algorithms.supported_schemes()
        }
    }
}
