using System.Reflection;
using System.Text;
using GrayMQ.Fuzz.Seeds;
using GrayMQ.Protocol.Bodies;

namespace GrayMQ.Fuzz.Targets;

/// <summary>JSON bodies of requests and replies. The first byte says which; the rest is the JSON.</summary>
internal sealed class BodyTarget : FuzzTarget
{
    private static readonly BodyJsonForm[] Forms = Enum.GetValues<BodyJsonForm>();

    private readonly (string Name, Action<byte[]> Check)[] _types =
    [
        .. Recorded.Bodies().Select(body => body.Type).Distinct().Order(StringComparer.Ordinal).Select(name => (name, Checker(name))),
    ];

    public override string Name => "body";

    public override IReadOnlyList<byte[]> Tokens { get; } =
    [
        .. new[] { "{", "}", "[", "]", ":", ",", "\"", "'", "null", "true", "1e999", "-1", "\\u0000", "\\ud800", "NaN", "/*", "//", "{\"", "\":", "0:", "{}:1" }
            .Select(Encoding.UTF8.GetBytes),
    ];

    public override long MaxAllocatedBytes(int inputBytes) => (1024 * 1024) + (2_000L * inputBytes);

    public override IEnumerable<byte[]> Seeds() =>
        Recorded.Bodies().Select(body => (byte[])[(byte)Array.FindIndex(_types, type => type.Name == body.Type), .. body.Json]);

    public override bool Run(byte[] input)
    {
        if (input.Length == 0)
        {
            return false;
        }

        try
        {
            _types[input[0] % _types.Length].Check(input[1..]);
            return true;
        }
        catch (BodyFormatException)
        {
            return false;
        }
    }

    private static Action<byte[]> Checker(string name)
    {
        Type type = typeof(BodyCodec).Assembly.GetType($"{typeof(BodyCodec).Namespace}.{name}")
            ?? throw new InvalidOperationException($"there is no body {name}");
        return typeof(BodyTarget).GetMethod(nameof(Check), BindingFlags.Static | BindingFlags.NonPublic)!
            .MakeGenericMethod(type).CreateDelegate<Action<byte[]>>();
    }

    private static void Check<T>(byte[] json)
    {
        T body = BodyCodec.Decode<T>(json);
        foreach (BodyJsonForm form in Forms)
        {
            byte[] once = BodyCodec.Encode(body, form);
            byte[] twice;
            try
            {
                twice = BodyCodec.Encode(BodyCodec.Decode<T>(once), form);
            }
            catch (BodyFormatException e)
            {
                throw new FindingException($"{typeof(T).Name}, {form}: what was written is refused: {Encoding.UTF8.GetString(once)}", e);
            }

            FindingException.Unless(
                once.AsSpan().SequenceEqual(twice),
                $"{typeof(T).Name}, {form}: {Encoding.UTF8.GetString(once)} written again is {Encoding.UTF8.GetString(twice)}");
        }
    }
}
