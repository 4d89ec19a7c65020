namespace GrayMQ.Compatibility.Tests.Wire;

/// <summary>One field in which an answer is not what RocketMQ's was; null stands for a field that is not there.</summary>
/// <param name="RequestCode">Of the request that was answered, or that the server made.</param>
/// <param name="Field">For example <c>code</c>, <c>extFields.offset</c>, <c>body.topicList</c>, <c>message[0].sysFlag</c>.</param>
/// <param name="Request">The header fields of the request, for the reader.</param>
internal sealed record Mismatch(int RequestCode, string Field, string? Expected, string? Actual, string Request)
{
    private const int MaxShown = 200;

    public override string ToString() =>
        $"{RequestCode} {Field}: RocketMQ {Shorten(Expected)}, here {Shorten(Actual)}   ({Shorten(Request)})";

    private static string Shorten(string? text) => text switch
    {
        null => "nothing",
        { Length: > MaxShown } => text[..MaxShown] + "…",
        _ => text,
    };
}
