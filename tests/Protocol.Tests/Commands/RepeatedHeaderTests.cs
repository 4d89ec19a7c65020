using System.Buffers;
using System.Text;
using GrayMQ.Protocol.Commands;

namespace GrayMQ.Protocol.Tests.Commands;

public class RepeatedHeaderTests
{
    private const string Header =
        """
        {"code":310,"extFields":{"a":"group","e":"0","g":"1795329876123","i":"UNIQ_KEY\u00010A0B0C0D\u0002WAIT\u0001true\u0002KEYS\u0001a\"b c\u0002","q":7},"flag":0,"language":"JAVA","opaque":101,"serializeTypeCurrentRPC":"JSON","version":479}
        """;

    [Fact]
    public void Decode_TheSameHeaderWithOtherValues_ReadsThem()
    {
        RemotingCommand command = Repeated(Header);
        string next = Header.Replace("\"0\"", "\"3\"").Replace("876123", "876199").Replace("0A0B0C0D", "1A0B0C0E")
            .Replace("c\\u0002", "d\\u0002").Replace(":101", ":978");

        Decode(command, next);

        Assert.Equal(978, command.Opaque);
        Assert.Equal("3", command.Fields.GetString("e"u8));
        Assert.Equal("1795329876199", command.Fields.GetString("g"u8));
        Assert.Equal(
            "UNIQ_KEY\u00011A0B0C0E\u0002WAIT\u0001true\u0002KEYS\u0001a\"b d\u0002", command.Fields.GetString("i"u8));
        Assert.Equal((310, LanguageCode.Java, (short)479), (command.Code, command.Language, command.Version));
    }

    /// <summary>One character after the other becomes every other one: what is read, or refused, is what a first decoding makes of it.</summary>
    [Fact]
    public void Decode_AnyOtherCharacterAnywhere_IsReadAsIfAnew()
    {
        byte[] header = Encoding.UTF8.GetBytes(Header.Trim());
        for (int at = 0; at < header.Length; at++)
        {
            foreach (byte character in "09azAZ\"\\{}:,.-u\0\u001f \u007f"u8.ToArray().Concat(new byte[] { 0x80, 0xC3, 0xFF }))
            {
                byte[] changed = [.. header];
                changed[at] = character;
                Assert.Equal(Outcome(new RemotingCommand(), changed), Outcome(Repeated(Header.Trim()), changed));
            }
        }
    }

    [Fact]
    public void Decode_AfterOneThatIsNoJson_IsReadAnew()
    {
        RemotingCommand command = Repeated(Header);
        Assert.Throws<ProtocolException>(() => Decode(command, new string('x', Header.Length)));

        Decode(command, Header);

        Assert.Equal(Outcome(new RemotingCommand(), Encoding.UTF8.GetBytes(Header)), Outcome(command, Encoding.UTF8.GetBytes(Header)));
    }

    [Fact]
    public void Decode_NoHeaderAtAll_IsRefusedAsEver()
    {
        Assert.Throws<ProtocolException>(() => Decode(new RemotingCommand(), ""));
        Assert.Throws<ProtocolException>(() => Decode(Repeated(Header), ""));
    }

    // Learned with the second, taken from the third on.
    private static RemotingCommand Repeated(string header)
    {
        var command = new RemotingCommand();
        for (int i = 0; i < 3; i++)
        {
            Decode(command, header);
        }

        return command;
    }

    private static void Decode(RemotingCommand command, string header) => Decode(command, Encoding.UTF8.GetBytes(header));

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
        }
        catch (ProtocolException e)
        {
            return e.Message;
        }

        IEnumerable<string> fields = command.Fields.ToDictionary().Select(field => $"{field.Key}={field.Value}");
        return $"{command.Code} {command.Opaque} {command.Flag} {command.Language} {command.Version} {command.Remark} {string.Join(';', fields)}";
    }
}
