/// A place in a text: both numbers count from 1, the column in UTF-8 bytes as libyaml counts characters.
public struct Position: Hashable, Sendable, Comparable {
    public let line: Int
    public let column: Int

    public init(line: Int, column: Int) {
        self.line = line
        self.column = column
    }

    public static let start = Position(line: 1, column: 1)

    public static func < (left: Position, right: Position) -> Bool {
        (left.line, left.column) < (right.line, right.column)
    }
}

/// A place in a file, printed as `file:line:column`. The file is the path as the user gave it (folder argument joined
/// with the path below it).
public struct SourceLocation: Hashable, Sendable, Comparable, CustomStringConvertible {
    public let file: String
    public let position: Position

    public init(file: String, position: Position) {
        self.file = file
        self.position = position
    }

    public var description: String { "\(file):\(position.line):\(position.column)" }

    public static func < (left: SourceLocation, right: SourceLocation) -> Bool {
        (left.file, left.position) < (right.file, right.position)
    }
}
