using GrayMQ.Store.KeyValue;

namespace GrayMQ.Store.Tests.KeyValue;

public sealed class KeyWriterTests
{
    [Fact]
    public void Key_Parts_OrderLikeTheirValues()
    {
        (string Topic, int Queue, long Time)[] parts =
        [
            ("", 0, 0),
            ("a", int.MinValue, 0),
            ("a", -1, long.MaxValue),
            ("a", 0, long.MinValue),
            ("a", 0, -1),
            ("a", 0, 0),
            ("a", 0, 255),
            ("a", 0, 256),
            ("a", 0, long.MaxValue),
            ("a", 1, 0),
            ("a", int.MaxValue, 0),
            ("ab", -5, 0),
            ("a订", 0, 0),
            ("b", 0, 0),
        ];
        byte[][] keys = [.. parts.Select(part => Write(part.Topic, part.Queue, part.Time))];

        Assert.Equal(keys, [.. keys.Reverse().Order(Comparer<byte[]>.Create((a, b) => a.AsSpan().SequenceCompareTo(b)))]);
        Assert.All(parts.Zip(keys), pair =>
        {
            var reader = new KeyReader(pair.Second);
            Assert.Equal(pair.First, (reader.Text(), reader.Int32(), reader.Int64()));
            Assert.True(reader.AtEnd);
        });
    }

    [Fact]
    public void Key_Bytes_AreThoseOfTheDrawing()
    {
        byte[] key = new KeyWriter(new byte[32]).Byte(7).Text("ab"u8).Int32(1).Int64(-1).Key.ToArray();

        Assert.Equal("0761620080000001" + "7FFFFFFFFFFFFFFF", Convert.ToHexString(key));
    }

    [Fact]
    public void Write_TextWithNulOrBufferTooSmall_Throws()
    {
        Assert.Throws<ArgumentException>(() => new KeyWriter(new byte[8]).Text("a\0b"u8).Key.Length);
        Assert.Throws<ArgumentException>(() => new KeyWriter(new byte[8]).Text("a\0b").Key.Length);
        Assert.Throws<ArgumentException>(() => new KeyWriter(new byte[3]).Text("abcd").Key.Length);
        Assert.Throws<ArgumentException>(() => new KeyWriter(new byte[3]).Int32(1).Key.Length);
        Assert.Throws<ArgumentException>(() => new KeyWriter(new byte[3]).Text("abc").Key.Length);
    }

    [Theory]
    [InlineData("")]
    [InlineData("61")]
    [InlineData("6100800000")]
    public void Read_KeyThatEndsEarly_Throws(string key)
    {
        Assert.Throws<InvalidDataException>(() =>
        {
            var reader = new KeyReader(Convert.FromHexString(key));
            reader.Text();
            reader.Int32();
        });
    }

    [Theory]
    [InlineData("", "")]
    [InlineData("FFFF", "")]
    [InlineData("00", "01")]
    [InlineData("61FE", "61FF")]
    [InlineData("61FFFF", "62")]
    public void PrefixEnd_Prefix_IsTheNextKeyBeyond(string prefix, string expected)
    {
        byte[] end = new byte[8];

        int length = KeyWriter.PrefixEnd(Convert.FromHexString(prefix), end);

        Assert.Equal(expected, Convert.ToHexString(end.AsSpan(0, length)));
    }

    private static byte[] Write(string topic, int queue, long time) =>
        new KeyWriter(stackalloc byte[KeyWriter.MaxStackKey]).Text(topic).Int32(queue).Int64(time).Key.ToArray();
}
