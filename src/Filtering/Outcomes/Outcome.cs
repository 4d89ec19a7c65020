namespace GrayMQ.Filtering.Outcomes;

/// <summary>
/// What a condition says of one message. SQL92 as RocketMQ has it knows four answers: a property that is missing makes most
/// comparisons neither true nor false, and one that cannot be read as the number it is compared with ends the evaluation (an
/// exception in RocketMQ), so that the message does not match whatever else is said. HEADER knows the first two only.
/// A message matches when its outcome is <see cref="True"/>.
/// </summary>
public enum Outcome : byte
{
    False = 0,
    True = 1,
    Null = 2,
    Error = 3,
}
