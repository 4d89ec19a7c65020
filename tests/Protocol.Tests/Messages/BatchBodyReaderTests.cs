using System.Buffers;
using System.Buffers.Binary;
using GrayMQ.Protocol.Messages;

namespace GrayMQ.Protocol.Tests.Messages;

public class BatchBodyReaderTests
{
    private static byte[] Batch()
    {
        var writer = new ArrayBufferWriter<byte>();
        BatchBodyWriter.Write(writer, 1, "first"u8, "A\u0001b\u0002"u8);
        BatchBodyWriter.Write(writer, 2, default, default);
        BatchBodyWriter.Write(writer, -3, "third"u8, default);
        return writer.WrittenSpan.ToArray();
    }

    private static (int Count, bool Malformed) Walk(in ReadOnlySequence<byte> body)
    {
        var reader = new BatchBodyReader(body);
        int count = 0;
        while (reader.MoveNext())
        {
            count++;
        }

        return (count, reader.IsMalformed);
    }

    [Fact]
    public void MoveNext_WholeBatch_GivesEveryRecord()
    {
        for (int cut = 0; cut < Batch().Length; cut++)
        {
            var reader = new BatchBodyReader(Sequences.Split(Batch(), cut, 3));
            Assert.True(reader.MoveNext());
            Assert.Equal(1, reader.Current.Flag);
            Assert.Equal("first"u8.ToArray(), reader.Current.Body.ToArray());
            Assert.Equal("A\u0001b\u0002"u8.ToArray(), reader.Current.Properties.ToArray());
            Assert.True(reader.MoveNext());
            Assert.Equal(0, reader.Current.Body.Length + reader.Current.Properties.Length);
            Assert.True(reader.MoveNext());
            Assert.Equal(-3, reader.Current.Flag);
            Assert.False(reader.MoveNext());
            Assert.False(reader.IsMalformed);
        }
    }

    [Fact]
    public void MoveNext_CutAnywhere_IsMalformed()
    {
        byte[] batch = Batch();
        int[] ends = [0, 31, 53, batch.Length];
        for (int length = 0; length < batch.Length; length++)
        {
            (int _, bool malformed) = Walk(new ReadOnlySequence<byte>(batch, 0, length));
            Assert.Equal(!ends.Contains(length), malformed);
        }
    }

    [Theory]
    [InlineData(0, -1)]
    [InlineData(0, 0)]
    [InlineData(0, int.MaxValue)]
    [InlineData(0, 30)]
    [InlineData(16, -1)]
    [InlineData(16, int.MaxValue)]
    [InlineData(16, 4)]
    public void MoveNext_LyingLength_IsMalformed(int position, int value)
    {
        byte[] batch = Batch();
        BinaryPrimitives.WriteInt32BigEndian(batch.AsSpan(position), value);
        Assert.Equal((0, true), Walk(new ReadOnlySequence<byte>(batch)));
    }
}
