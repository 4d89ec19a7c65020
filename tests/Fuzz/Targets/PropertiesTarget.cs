using System.Text;
using GrayMQ.Fuzz.Seeds;
using GrayMQ.Protocol.Messages;

namespace GrayMQ.Fuzz.Targets;

/// <summary>Message properties: looking for one finds what reading all gives.</summary>
internal sealed class PropertiesTarget : FuzzTarget
{
    private static readonly byte[][] SeldomThere = ["absent"u8.ToArray(), "KEY"u8.ToArray(), "K"u8.ToArray()];

    public override string Name => "message-properties";

    public override IReadOnlyList<byte[]> Tokens { get; } = [[1], [2], [1, 2], [2, 1], "KEYS"u8.ToArray(), "TAGS\u0001x\u0002"u8.ToArray()];

    public override IEnumerable<byte[]> Seeds()
    {
        yield return [];
        foreach (byte[] frame in Recorded.Frames())
        {
            if (Commands.Decode(frame).Fields.FindString("i"u8) is { } properties)
            {
                yield return Encoding.UTF8.GetBytes(properties);
            }
        }
    }

    public override bool Run(byte[] input)
    {
        var last = new Dictionary<string, byte[]>(StringComparer.Ordinal);
        foreach (MessagePropertyBytes property in MessagePropertiesCodec.Enumerate(input))
        {
            last[Convert.ToHexString(property.Name)] = property.Value.ToArray();
        }

        // A search for each would make long inputs slow, for no more insight.
        foreach ((string name, byte[] value) in last.Take(50))
        {
            FindingException.Unless(
                MessagePropertiesCodec.TryFind(input, Convert.FromHexString(name), out ReadOnlySpan<byte> found) && found.SequenceEqual(value),
                $"property {name} is found as another value than is read");
        }

        foreach (byte[] absent in SeldomThere)
        {
            FindingException.Unless(
                MessagePropertiesCodec.TryFind(input, absent, out _) == last.ContainsKey(Convert.ToHexString(absent)),
                "a property is found that is not there");
        }

        Dictionary<string, string> all = MessagePropertiesCodec.ToDictionary(input);
        byte[] again;
        try
        {
            again = MessagePropertiesCodec.ToBytes(all);
        }
        catch (ArgumentException)
        {
            // A value may hold the separator of names, which no writer writes.
            FindingException.Unless(all.Values.Any(value => value.Contains('\u0001', StringComparison.Ordinal)), "properties that were read cannot be written");
            return false;
        }

        Dictionary<string, string> second = MessagePropertiesCodec.ToDictionary(again);
        FindingException.Unless(
            all.Count == second.Count && all.All(property => second.GetValueOrDefault(property.Key) == property.Value),
            "properties written again say something else");
        return true;
    }
}
