namespace GrayMQ.Filtering.Compilation;

/// <summary>
/// The steps of a shape: a small stack machine, whose steps are what is told apart when shapes are compared. A step that is followed by
/// an operand says so.
/// </summary>
internal enum ShapeOp : ushort
{
    /// <summary>Pushes the operand: an enumeration's value or a flag.</summary>
    Push,

    /// <summary>Pushes the text of the next slot.</summary>
    Property,
    Text,
    MissingText,
    Key,
    Number,
    Set,
    Pattern,

    /// <summary>Calls the method that the operand numbers (<see cref="ShapeMethods"/>).</summary>
    Call,

    /// <summary>Outcome to outcome; the operand is an outcome map's bits.</summary>
    Map,

    /// <summary>Outcome to bool.</summary>
    IsTrue,

    /// <summary>The operand is 1 for AND; behind each operand's steps comes a <see cref="JunctionNext"/>.</summary>
    JunctionBegin,
    JunctionNext,
    JunctionEnd,

    /// <summary>As a junction, but of bools, of which the last is the result; the operand is 1 for AND.</summary>
    MatchBegin,
    MatchNext,
    MatchEnd,

    /// <summary>Behind the condition; the operand is 1 when an error passes through. First comes what is taken otherwise.</summary>
    ChooseBegin,
    ChooseThen,
    ChooseEnd,
}
