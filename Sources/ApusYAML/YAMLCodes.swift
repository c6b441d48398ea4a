/// Codes of the findings that the YAML layer makes.
package enum YAMLCode {
    /// The text is not YAML.
    package static let syntax = "APUS0001"
    /// A key stands twice in one mapping.
    package static let duplicateKey = "APUS0002"
    /// The file is over a limit.
    package static let limit = "APUS0003"
    /// The bytes are not UTF-8 text.
    package static let encoding = "APUS0004"
    /// Legal YAML that a manifest cannot mean: a collection as a key, an unknown tag, a bad merge key.
    package static let unsupported = "APUS0005"
}
