using System.Text;
using GrayMQ.Protocol.Messages;

namespace GrayMQ.Protocol.Tests.Messages;

public class Crc32Tests
{
    [Theory]
    [InlineData("", 0u)]
    [InlineData("123456789", 0xCBF43926u)]
    [InlineData("The quick brown fox jumps over the lazy dog", 0x414FA339u)]
    public void Compute_KnownInput_GivesZlibsValue(string text, uint expected) =>
        Assert.Equal(expected, Crc32.Compute(Encoding.ASCII.GetBytes(text)));

    [Fact]
    public void Compute_EveryLengthUpTo600_AgreesWithTables()
    {
        byte[] data = new byte[600];
        new Random(7).NextBytes(data);
        for (int length = 0; length <= data.Length; length++)
        {
            ReadOnlySpan<byte> part = data.AsSpan(0, length);
            Assert.Equal(Crc32.AppendByTables(0, part), Crc32.Compute(part));
        }
    }

    [Fact]
    public void Append_InPieces_GivesTheSumOfTheWhole()
    {
        byte[] data = new byte[5000];
        new Random(8).NextBytes(data);
        uint whole = Crc32.Compute(data);
        for (int cut = 0; cut < data.Length; cut += 37)
        {
            Assert.Equal(whole, Crc32.Append(Crc32.Compute(data.AsSpan(0, cut)), data.AsSpan(cut)));
        }

        Assert.Equal(whole, Crc32.Compute(Sequences.Split(data, 1, 63, 64, 1000)));
    }

    [Fact]
    public void OfBody_DropsTheTopBit() =>
        Assert.Equal(0x4BF43926, Crc32.OfBody("123456789"u8));
}
