/// What one file may ask of the reader. A file over a limit is refused with a finding; it never costs more than this.
package struct YAMLLimits: Hashable, Sendable {
    /// Bytes of one file.
    package var bytes = 8 << 20
    /// Nodes of one file, counted as if every alias were written out, so that a few nested aliases cannot stand for
    /// billions of nodes.
    package var nodes = 500_000
    /// Nesting of collections, aliases written out.
    package var depth = 64
    /// Findings about one file; after that many the rest of the file is not read.
    package var findings = 50

    package init() {}

    package static let standard = YAMLLimits()
}
