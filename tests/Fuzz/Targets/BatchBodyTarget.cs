using System.Buffers;
using GrayMQ.Fuzz.Seeds;
using GrayMQ.Protocol.Messages;

namespace GrayMQ.Fuzz.Targets;

/// <summary>The body of a batch send: the same records however it is cut, and again when written again.</summary>
internal sealed class BatchBodyTarget : FuzzTarget
{
    public override string Name => "batch-body";

    public override IEnumerable<byte[]> Seeds()
    {
        var writer = new ArrayBufferWriter<byte>();
        yield return [];
        for (int i = 0; i < 5; i++)
        {
            BatchBodyWriter.Write(writer, i, new byte[i * 7], i % 2 == 0 ? "TAGS\u0001a\u0002"u8 : default);
            yield return writer.WrittenSpan.ToArray();
        }
    }

    public override bool Run(byte[] input)
    {
        (byte[]? first, int firstCount) = Rewrite(new ReadOnlySequence<byte>(input));
        (byte[]? second, int secondCount) = Rewrite(Sequences.Split(input));
        FindingException.Unless(
            firstCount == secondCount && (first is null) == (second is null) && first.AsSpan().SequenceEqual(second),
            "the segments change what a batch says");
        if (first is null)
        {
            return false;
        }

        (byte[]? again, int count) = Rewrite(new ReadOnlySequence<byte>(first));
        FindingException.Unless(again is not null && count == firstCount && again.AsSpan().SequenceEqual(first), "a batch written again says something else");
        return true;
    }

    private static (byte[]? Bytes, int Count) Rewrite(in ReadOnlySequence<byte> body)
    {
        var writer = new ArrayBufferWriter<byte>();
        var reader = new BatchBodyReader(body);
        int count = 0;
        while (reader.MoveNext())
        {
            BatchBodyWriter.Write(writer, reader.Current.Flag, reader.Current.Body.ToArray(), reader.Current.Properties.ToArray());
            count++;
        }

        return (reader.IsMalformed ? null : writer.WrittenSpan.ToArray(), count);
    }
}
