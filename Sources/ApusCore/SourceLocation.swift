/// A place in a text: both numbers count from 1, the column in UTF-8 bytes as libyaml counts characters.
package struct Position: Hashable, Sendable, Comparable {
    package let line: Int
    package let column: Int

    package init(line: Int, column: Int) {
        self.line = line
        self.column = column
    }

    package static let start = Position(line: 1, column: 1)

    package static func < (left: Position, right: Position) -> Bool {
        (left.line, left.column) < (right.line, right.column)
    }
}

/// A place in a file, printed as `file:line:column`. The file is the path as the user gave it (folder argument joined
/// with the path below it).
package struct SourceLocation: Hashable, Sendable, Comparable, CustomStringConvertible {
    package let file: String
    package let position: Position

    package init(file: String, position: Position) {
        self.file = file
        self.position = position
    }

    package var description: String { "\(file):\(position.line):\(position.column)" }

    package static func < (left: SourceLocation, right: SourceLocation) -> Bool {
        (left.file, left.position) < (right.file, right.position)
    }
}
