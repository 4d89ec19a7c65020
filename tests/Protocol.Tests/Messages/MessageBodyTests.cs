using System.Buffers;
using GrayMQ.Protocol.Messages;

namespace GrayMQ.Protocol.Tests.Messages;

public class MessageBodyTests
{
    private static readonly byte[] Bytes = [.. Enumerable.Range(0, 200).Select(i => (byte)i)];

    private static byte[] Join(MessageBody body)
    {
        var joined = new List<byte>();
        foreach (ReadOnlySpan<byte> piece in body)
        {
            joined.AddRange(piece);
        }

        Assert.Equal(body.Length, joined.Count);
        return [.. joined];
    }

    [Fact]
    public void Pieces_AreWalkedInOrder() => Assert.Equal(Bytes, Join(Sequences.Split(Bytes, 10, 100)));

    [Fact]
    public void OnePiece_IsWalkedOnce()
    {
        Assert.Equal(Bytes, Join(Bytes.AsSpan()));
        Assert.Equal(Bytes, Join(new ReadOnlySequence<byte>(Bytes)));
    }

    [Fact]
    public void Nothing_HasNoPieces()
    {
        Assert.Empty(Join(default));
        Assert.Empty(Join(ReadOnlySequence<byte>.Empty));
        Assert.Empty(Join(ReadOnlySpan<byte>.Empty));
    }
}
