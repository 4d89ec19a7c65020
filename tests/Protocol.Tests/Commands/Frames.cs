using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using GrayMQ.Protocol.Commands;

namespace GrayMQ.Protocol.Tests.Commands;

/// <summary>Makes frames byte by byte, so that they may lie, and reads them back.</summary>
internal static class Frames
{
    public static byte[] Json(string header, string body = "") => Of(0, Encoding.UTF8.GetBytes(header), Encoding.UTF8.GetBytes(body));

    public static byte[] Of(byte type, byte[] header, byte[] body)
    {
        byte[] frame = new byte[8 + header.Length + body.Length];
        BinaryPrimitives.WriteInt32BigEndian(frame, frame.Length - 4);
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(4), header.Length);
        frame[4] = type;
        header.CopyTo(frame, 8);
        body.CopyTo(frame, 8 + header.Length);
        return frame;
    }

    /// <summary>A binary header whose lengths can be made to lie.</summary>
    public static byte[] BinaryHeader(
        short code,
        byte[] map,
        string remark = "",
        int? remarkLength = null,
        int? mapLength = null,
        byte language = 0,
        int opaque = 0,
        int flag = 0)
    {
        byte[] text = Encoding.UTF8.GetBytes(remark);
        byte[] header = new byte[21 + text.Length + map.Length];
        BinaryPrimitives.WriteInt16BigEndian(header, code);
        header[2] = language;
        BinaryPrimitives.WriteInt16BigEndian(header.AsSpan(3), 479);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(5), opaque);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(9), flag);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(13), remarkLength ?? text.Length);
        text.CopyTo(header, 17);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(17 + text.Length), mapLength ?? map.Length);
        map.CopyTo(header, 21 + text.Length);
        return header;
    }

    public static byte[] Field(byte[] name, byte[] value, short? nameLength = null, int? valueLength = null)
    {
        byte[] field = new byte[6 + name.Length + value.Length];
        BinaryPrimitives.WriteInt16BigEndian(field, nameLength ?? (short)name.Length);
        name.CopyTo(field, 2);
        BinaryPrimitives.WriteInt32BigEndian(field.AsSpan(2 + name.Length), valueLength ?? value.Length);
        value.CopyTo(field, 6 + name.Length);
        return field;
    }

    public static RemotingCommand Decode(byte[] frame, CommandLimits? limits = null) =>
        Decode(new ReadOnlySequence<byte>(frame), limits);

    public static RemotingCommand Decode(ReadOnlySequence<byte> bytes, CommandLimits? limits = null)
    {
        Assert.True(Frame.TryRead(ref bytes, limits ?? CommandLimits.Default, out Frame frame));
        Assert.True(bytes.IsEmpty);
        var command = new RemotingCommand();
        command.Decode(in frame, limits ?? CommandLimits.Default);
        return command;
    }

    /// <summary>Writes what was decoded once more, in either form.</summary>
    public static byte[] Encode(RemotingCommand command, SerializeType type)
    {
        var buffer = new HeaderBuffer();
        var header = new AllFields(command.Fields.ToDictionary());
        byte[] body = command.Body.ToArray();
        if (command.IsResponse)
        {
            CommandWriter.WriteResponse(buffer, type, command.ResponseCode, command.Opaque, command.Remark, in header, body.Length);
        }
        else
        {
            CommandWriter.WriteRequest(
                buffer, type, command.RequestCode, command.Opaque, command.IsOneWay, in header, body.Length);
        }

        return [.. buffer.Written, .. body];
    }
}

/// <summary>A header of whatever fields it is given.</summary>
internal sealed class AllFields(IReadOnlyDictionary<string, string> fields) : IHeaderFields
{
    public void Write(ref HeaderWriter writer)
    {
        foreach ((string name, string value) in fields)
        {
            writer.Write(Encoding.UTF8.GetBytes(name), value);
        }
    }
}
