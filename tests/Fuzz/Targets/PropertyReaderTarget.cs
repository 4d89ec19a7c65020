using GrayMQ.Filtering.Properties;

namespace GrayMQ.Fuzz.Targets;

/// <summary>The properties that conditions ask for: looked for one by one, or found all in one walk, they are what the layout says.</summary>
internal sealed class PropertyReaderTarget : FuzzTarget
{
    private static readonly string[] Asked = ["messageType", "a", "aa", "b", "KEYS", "é", "messageTyp", "x"];
    private static readonly PropertyNames Names = PropertyNames.None.With(Asked);

    public override string Name => "property-reader";

    public override IReadOnlyList<byte[]> Tokens { get; } =
    [
        [1], [2], [1, 2], [2, 1], [2, 2], "a"u8.ToArray(), "aa"u8.ToArray(), "b"u8.ToArray(), "KEYS"u8.ToArray(), "é"u8.ToArray(),
        "messageType"u8.ToArray(), "a\u00011\u0002"u8.ToArray(), [0xC3], [0xFF],
    ];

    public override IEnumerable<byte[]> Seeds() =>
        ["messageType\u0001A\u0002a\u00011\u0002KEYS\u0001k"u8.ToArray(), "a\u00011\u0002a\u0001\u0002a\u00012\u0002\u0001x\u0002b"u8.ToArray()];

    public override bool Run(byte[] input)
    {
        Dictionary<string, string> said = Read(input);
        var oneByOne = new PropertyReader(input, Names, new PropertySlot[Names.Count]);
        var allAtOnce = new PropertyReader(input, Names, new PropertySlot[Names.Count]);
        allAtOnce.ResolveAll();
        for (int slot = 0; slot < Names.Count; slot++)
        {
            string? expected = said.GetValueOrDefault(Convert.ToHexString(Names.Utf8(slot)));
            Check(oneByOne.Get(slot), expected, "looked for");
            Check(oneByOne.Get(slot), expected, "looked for again");
            Check(allAtOnce.Get(slot), expected, "found with all");
        }

        return said.Count > 0;
    }

    private static void Check(TextValue value, string? expected, string how) => FindingException.Unless(
        value.IsPresent ? Convert.ToHexString(value.Utf8) == expected : expected is null,
        $"a property is another one when it is {how}: {expected}");

    // By the layout, in hexadecimal. The last entry of a name counts, and those without a name or a value do not.
    private static Dictionary<string, string> Read(ReadOnlySpan<byte> properties)
    {
        var said = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (Range range in properties.Split((byte)2))
        {
            ReadOnlySpan<byte> entry = properties[range];
            int separator = entry.IndexOf((byte)1);
            if (separator > 0 && separator < entry.Length - 1)
            {
                said[Convert.ToHexString(entry[..separator])] = Convert.ToHexString(entry[(separator + 1)..]);
            }
        }

        return said;
    }
}
