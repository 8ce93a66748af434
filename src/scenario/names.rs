//! Choices that a file names.

/// An enum whose variants are read and shown by these names.
macro_rules! names {
    ($(#[$of:meta])* $kind:ident { $($(#[$meta:meta])* $variant:ident $name:literal,)+ }) => {
        $(#[$of])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum $kind {
            $($(#[$meta])* $variant,)+
        }

        impl $kind {
            /// As a file has it.
            pub fn as_str(self) -> &'static str {
                match self { $($kind::$variant => $name,)+ }
            }
        }

        impl fmt::Display for $kind {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }
    };
}

pub(super) use names;
