/// The nodes of one file in flat arrays, in the order written, each with its position.
///
/// A collection's children follow it directly and `end` is the index after its last descendant, so a tree of any shape
/// is one array without links, and a node's path can be found from its index alone.
package final class YAMLTree: Sendable {
    struct Node: Sendable {
        var kind: YAMLNode.Kind
        /// Scalars: written plain, without quotes, block indicator or string tag.
        var isPlain: Bool
        /// Mappings: has a `<<` key.
        var hasMerge: Bool
        var line: UInt32
        var column: UInt32
        /// Scalar: offset in `text`. Collection: number of children (a mapping has two for each entry).
        /// Alias: index of the node it stands for.
        var start: UInt32
        /// Scalar: number of bytes.
        var length: UInt32
        /// Index after the last descendant.
        var end: UInt32
    }

    let nodes: ContiguousArray<Node>
    /// The scalars' bytes, one after the other; valid UTF-8.
    let text: ContiguousArray<UInt8>

    init(nodes: ContiguousArray<Node>, text: ContiguousArray<UInt8>) {
        self.nodes = nodes
        self.text = text
    }
}
