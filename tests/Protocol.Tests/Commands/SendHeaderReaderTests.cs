using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;

namespace GrayMQ.Protocol.Tests.Commands;

public class SendHeaderReaderTests
{
    // "e" stands there twice, "q" is no field of a send.
    private const string TwiceE =
        """
        {"code":310,"extFields":{"a":"group","b":"topic","c":"TBW102","d":"4","e":"1","e":"2","f":"0","g":"1795329876123","h":"0","i":"x\u00011\u0002","q":"7"},"flag":0,"language":"JAVA","opaque":1,"version":479}
        """;

    private const string Usual =
        """
        {"code":310,"extFields":{"a":"group","b":"topic","c":"TBW102","d":"4","e":"1","f":"0","g":"1795329876123","h":"0","i":"x\u00011\u0002","j":"0","k":"false","l":"16","m":"true","n":"broker"},"flag":0,"language":"JAVA","opaque":1,"version":479}
        """;

    /// <summary>What was read before makes no difference, whatever character of the header is another one the next time.</summary>
    [Theory]
    [InlineData(Usual)]
    [InlineData(TwiceE)]
    public void Read_AnyOtherCharacterAnywhere_IsReadAsIfAnew(string text)
    {
        byte[] header = Encoding.UTF8.GetBytes(text.Trim());
        RemotingCommand command = new();
        for (int at = 0; at < header.Length; at++)
        {
            foreach (byte character in "019aelnx-\""u8)
            {
                byte[] changed = [.. header];
                changed[at] = character;
                string anew = Outcome(new RemotingCommand(), changed);

                // From the third on, a header is held against the one before.
                Assert.Equal(Outcome(new RemotingCommand(), header), Outcome(command, header));
                Outcome(command, header);
                Outcome(command, header);
                Assert.Equal(anew, Outcome(command, changed));
                Assert.Equal(anew, Outcome(command, changed));
            }
        }
    }

    [Fact]
    public void Read_ChangesThatNobodyReadMeanwhile_AreReadLater()
    {
        var command = new RemotingCommand();
        byte[] header = Encoding.UTF8.GetBytes(Usual.Trim());
        for (int i = 0; i < 3; i++)
        {
            Outcome(command, header);
        }

        Decode(command, Encoding.UTF8.GetBytes(Usual.Trim().Replace("\"e\":\"1\"", "\"e\":\"9\"", StringComparison.Ordinal)));
        Decode(command, Encoding.UTF8.GetBytes(
            Usual.Trim().Replace("\"e\":\"1\"", "\"e\":\"9\"", StringComparison.Ordinal).Replace("6123", "6124", StringComparison.Ordinal)));

        SendMessageHeader read = SendMessageHeader.ReadV2(command.Fields);
        Assert.Equal((9, 1795329876124), (read.QueueId, read.BornTimestampMs));
    }

    [Fact]
    public void Read_OfAHugeHeader_IsNotKeptBehindTheNextOne()
    {
        var command = new RemotingCommand();
        WeakReference huge = ReadHuge(command);
        Decode(command, Encoding.UTF8.GetBytes("""{"code":34,"flag":0,"language":"JAVA","opaque":1,"version":479}"""));
        GC.Collect();
        Assert.False(huge.IsAlive);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static WeakReference ReadHuge(RemotingCommand command)
    {
        Decode(command, Encoding.UTF8.GetBytes(Usual.Trim().Replace("group", new string('g', 40_000), StringComparison.Ordinal)));
        Assert.True(MemoryMarshal.TryGetArray(SendMessageHeader.ReadV2(command.Fields).ProducerGroup, out ArraySegment<byte> bytes));
        return new WeakReference(bytes.Array);
    }

    private static void Decode(RemotingCommand command, byte[] header)
    {
        var bytes = new ReadOnlySequence<byte>(Frames.Of(0, header, []));
        Assert.True(Frame.TryRead(ref bytes, CommandLimits.Default, out Frame frame));
        command.Decode(in frame, CommandLimits.Default);
    }

    private static string Outcome(RemotingCommand command, byte[] header)
    {
        try
        {
            Decode(command, header);
            SendMessageHeader read = SendMessageHeader.ReadV2(command.Fields);
            return string.Join(
                '|', Text(read.ProducerGroup), Text(read.Topic), Text(read.DefaultTopic), read.DefaultTopicQueueNums, read.QueueId, read.SysFlag,
                read.BornTimestampMs, read.Flag, Text(read.Properties), read.ReconsumeTimes, read.UnitMode, read.MaxReconsumeTimes, read.Batch,
                Text(read.BrokerName));
        }
        catch (Exception e) when (e is ProtocolException or HeaderFieldException)
        {
            return e.Message;
        }
    }

    private static string Text(ReadOnlyMemory<byte> utf8) => Encoding.UTF8.GetString(utf8.Span);
}
