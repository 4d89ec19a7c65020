using System.Buffers;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Tests.Messages;

namespace GrayMQ.Protocol.Tests.Commands;

/// <summary>Decoding a request and writing its answer makes no garbage once the buffers have grown.</summary>
public class CodecAllocationTests
{
    private const int Rounds = 10_000;

    private const string SendHeader =
        """
        {"code":310,"extFields":{"a":"GP","b":"Topic","c":"TBW102","d":"4","e":"3","f":"0","g":"1795293705939","h":"0",
        "i":"KEYS\u0001k0\u0002UNIQ_KEY\u0001C00002026FE05FFD2B276B700ED20000\u0002WAIT\u0001true\u0002TAGS\u0001TagA\u0002",
        "j":"0","k":"false","m":"false","n":"broker-a"},"flag":0,"language":"JAVA","opaque":4,"version":479}
        """;

    private static long AllocatedBy(Action round)
    {
        for (int i = 0; i < 200; i++)
        {
            round();
        }

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < Rounds; i++)
        {
            round();
        }

        return GC.GetAllocatedBytesForCurrentThread() - before;
    }

    [Theory]
    [InlineData(SerializeType.Json, false)]
    [InlineData(SerializeType.Json, true)]
    [InlineData(SerializeType.RocketMq, false)]
    [InlineData(SerializeType.RocketMq, true)]
    public void DecodeAndReply_SteadyState_AllocatesNothing(SerializeType type, bool split)
    {
        byte[] frame = Frames.Encode(Frames.Decode(Frames.Json(SendHeader, new string('x', 1024))), type);
        ReadOnlySequence<byte> bytes = split ? Sequences.Split(frame, 6, 100, 57) : new ReadOnlySequence<byte>(frame);
        var command = new RemotingCommand();
        var reply = new HeaderBuffer();
        long queues = 0;
        long allocated = AllocatedBy(() =>
        {
            ReadOnlySequence<byte> buffer = bytes;
            Frame.TryRead(ref buffer, CommandLimits.Default, out Frame read);
            command.Decode(in read, CommandLimits.Default);
            queues += command.Fields.GetInt32("e"u8) + command.Fields.GetUtf8("i"u8).Length + command.Fields.GetInt64("g"u8);
            CommandWriter.WriteResponse(
                reply, command.SerializeType, ResponseCode.Success, command.Opaque, "FOUND", new Reply(queues, "C00002026FE05FFD2B276B700ED20000"), 0);
        });

        Assert.True(queues > 0);
        Assert.Equal(0, allocated);
    }

    [Theory]
    [InlineData(SerializeType.Json)]
    [InlineData(SerializeType.RocketMq)]
    public void Write_LongText_AllocatesNothing(SerializeType type)
    {
        string text = new('ä', 2_000);
        var buffer = new HeaderBuffer();
        Assert.Equal(0, AllocatedBy(() => CommandWriter.WriteResponse(
            buffer, type, ResponseCode.Success, 1, text, new Reply(1, text), 0)));
    }

    [Fact]
    public void Decode_OneHugeHeader_IsNotKept()
    {
        var command = new RemotingCommand();
        byte[] huge = Frames.Json($$$"""{"code":1,"extFields":{"a":"{{{new string('x', 900_000)}}}"}}""");
        byte[] small = Frames.Json("""{"code":1}""");
        long Decode(byte[] frame)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            var buffer = new ReadOnlySequence<byte>(frame);
            Frame.TryRead(ref buffer, CommandLimits.Default, out Frame read);
            command.Decode(in read, CommandLimits.Default);
            return GC.GetAllocatedBytesForCurrentThread() - before;
        }

        Decode(huge);
        Assert.Equal(900_000, command.Fields.GetUtf8("a"u8).Length);
        Assert.True(Decode(small) < 1_000);

        // Its buffer is gone, so the next one needs a new one.
        Assert.True(Decode(huge) > 900_000);
    }

    private readonly struct Reply(long offset, string id) : IHeaderFields
    {
        public void Write(ref HeaderWriter writer)
        {
            writer.Write("msgId"u8, id);
            writer.Write("queueId"u8, 3);
            writer.Write("queueOffset"u8, offset);
            writer.Write("ok"u8, true);
        }
    }
}
