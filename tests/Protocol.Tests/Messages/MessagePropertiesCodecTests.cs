using System.Text;
using GrayMQ.Protocol.Messages;

namespace GrayMQ.Protocol.Tests.Messages;

public class MessagePropertiesCodecTests
{
    private static byte[] Raw(string text) => Encoding.UTF8.GetBytes(text);

    private static string? Find(string properties, string name) =>
        MessagePropertiesCodec.TryFind(Raw(properties), Raw(name), out ReadOnlySpan<byte> value)
            ? Encoding.UTF8.GetString(value)
            : null;

    [Theory]
    [InlineData("A\u0001b\u0002", "A", "b")]
    [InlineData("A\u0001b", "A", "b")]
    [InlineData("XA\u00011\u0002A\u00012\u0002AX\u00013\u0002", "A", "2")]
    [InlineData("A\u00011\u0002A\u00012\u0002", "A", "2")]
    [InlineData("A\u00011\u0002A\u0001\u0002", "A", "1")]
    [InlineData("K\u0001A\u0001x\u0002", "K", "A\u0001x")]
    [InlineData("AA\u0001AA\u0002", "AA", "AA")]
    [InlineData("AAA\u0001AAA\u0002", "AA", null)]
    [InlineData("A\u0001\u0002", "A", null)]
    [InlineData("A", "A", null)]
    [InlineData("", "A", null)]
    [InlineData("A\u0001b\u0002", "", null)]
    public void TryFind_Properties_FollowsRocketMQsReading(string properties, string name, string? expected)
    {
        Assert.Equal(expected, Find(properties, name));
        Assert.Equal(expected, MessagePropertiesCodec.ToDictionary(Raw(properties)).GetValueOrDefault(name));
    }

    [Fact]
    public void ToBytes_Dictionary_RoundTrips()
    {
        var properties = new Dictionary<string, string> { ["KEYS"] = "a b", ["TAGS"] = "灰", ["x"] = "y=\u0003" };
        byte[] bytes = MessagePropertiesCodec.ToBytes(properties);
        Assert.Equal(properties, MessagePropertiesCodec.ToDictionary(bytes));
        Assert.Equal("KEYS\u0001a b\u0002TAGS\u0001灰\u0002x\u0001y=\u0003\u0002", Encoding.UTF8.GetString(bytes));
    }

    [Theory]
    [InlineData("", "v")]
    [InlineData("a\u0001", "v")]
    [InlineData("a", "v\u0002")]
    public void ToBytes_WhatTheFormatCannotHold_Throws(string name, string value) =>
        Assert.Throws<ArgumentException>(
            () => MessagePropertiesCodec.ToBytes([new KeyValuePair<string, string>(name, value)]));

    [Theory]
    [InlineData("", 0)]
    [InlineData("TagA", 2598919)]
    [InlineData("polygenelubricants", int.MinValue)]
    [InlineData("灰度😀", 882562073)]
    public void TagsCode_Tag_IsJavasHash(string tag, int expected)
    {
        Assert.Equal(expected, TagsCode.Of(Raw(tag)));
        Assert.Equal(expected, TagsCode.Of(tag.AsSpan()));
    }

    [Fact]
    public void JavaStringHash_InPieces_EqualsTheWhole() => Assert.Equal(
        JavaStringHash.Of("topic#key"u8),
        JavaStringHash.Append(JavaStringHash.Append(JavaStringHash.Of("topic"u8), "#"u8), "key"u8));

    [Fact]
    public void JavaStringHash_OfAnyLength_IsJavas()
    {
        var random = new Random(31);
        for (int length = 0; length < 100; length++)
        {
            string ascii = string.Concat(Enumerable.Range(0, length).Select(_ => (char)random.Next(1, 0x80)));
            string text = ascii.Insert(random.Next(length + 1), length % 2 == 0 ? "" : "ä");
            int expected = text.Aggregate(0, (hash, c) => unchecked((31 * hash) + c));

            Assert.Equal(expected, JavaStringHash.Of(Encoding.UTF8.GetBytes(text)));
        }
    }

    /// <summary>Entries of all lengths, with separators in any places, are what splitting the text makes of them.</summary>
    [Fact]
    public void Enumerate_AnyBytes_FindsWhatSplittingFinds()
    {
        var random = new Random(2);
        for (int round = 0; round < 3_000; round++)
        {
            int density = random.Next(2, 40);
            string text = string.Concat(
                Enumerable.Range(0, random.Next(200)).Select(_ => random.Next(density) == 0 ? (char)random.Next(1, 3) : 'a'));
            List<(string, string)> expected =
            [
                .. text.Split('\u0002')
                    .Select(entry => entry.Split('\u0001', 2))
                    .Where(parts => parts is [{ Length: > 0 }, { Length: > 0 }])
                    .Select(parts => (parts[0], parts[1])),
            ];

            List<(string, string)> found = [];
            foreach (MessagePropertyBytes property in MessagePropertiesCodec.Enumerate(Encoding.UTF8.GetBytes(text)))
            {
                found.Add((Encoding.UTF8.GetString(property.Name), Encoding.UTF8.GetString(property.Value)));
            }

            Assert.Equal(expected, found);
        }
    }
}
