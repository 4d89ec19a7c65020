namespace GrayMQ.Gray;

/// <summary>What marks a message, or a client in its heartbeat, as gray.</summary>
public static class GrayMark
{
    /// <summary>Name of the message's user property, and of the field in a heartbeat's ConsumerData and ProducerData.</summary>
    public const string Property = "grayFlag";

    /// <summary>The only value that marks a message.</summary>
    public const string Value = "true";

    /// <summary>
    /// Name of the property of a message that comes back: the <see cref="Side"/> that failed it, which is the one that gets it again.
    /// </summary>
    public const string FailedBy = "GRAY_FAILED_BY";

    /// <summary>
    /// Name of the property of a gray message that waited in more than one record, delayed or half: the physical offset of the first.
    /// </summary>
    public const string AcceptedAt = "GRAY_ACCEPTED_AT";

    /// <summary>The side that the properties of a message name.</summary>
    /// <param name="mark">The value of <see cref="Property"/>; null where the message has none.</param>
    public static Side SideOf(string? mark) => mark == Value ? Side.Gray : Side.Normal;
}
