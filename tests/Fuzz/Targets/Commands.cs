using System.Buffers;
using System.Buffers.Binary;
using System.Reflection;
using System.Text;
using GrayMQ.Protocol.Commands;

namespace GrayMQ.Fuzz.Targets;

/// <summary>Commands in and out of bytes, and every header record that reads their fields.</summary>
internal static class Commands
{
    /// <summary>Reads the fields with one header record each, and writes what it read.</summary>
    public static IReadOnlyList<Action<HeaderFields>> Headers { get; } =
    [
        .. typeof(ICommandHeader<>).Assembly.GetTypes()
            .Where(type => type is { IsAbstract: false, IsGenericTypeDefinition: false } && type.GetInterfaces().Any(
                face => face.IsGenericType && face.GetGenericTypeDefinition() == typeof(ICommandHeader<>)))
            .Select(type => typeof(Commands).GetMethod(nameof(ReadAndWrite), BindingFlags.Static | BindingFlags.NonPublic)!
                .MakeGenericMethod(type).CreateDelegate<Action<HeaderFields>>()),
    ];

    public static byte[] Frame(byte type, ReadOnlySpan<byte> header)
    {
        byte[] frame = new byte[Protocol.Commands.Frame.PrefixBytes + header.Length];
        BinaryPrimitives.WriteInt32BigEndian(frame, frame.Length - sizeof(int));
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(sizeof(int)), (type << 24) | header.Length);
        header.CopyTo(frame.AsSpan(Protocol.Commands.Frame.PrefixBytes));
        return frame;
    }

    /// <exception cref="ProtocolException">It is none.</exception>
    public static RemotingCommand Decode(byte[] bytes)
    {
        var buffer = new ReadOnlySequence<byte>(bytes);
        FindingException.Unless(
            Protocol.Commands.Frame.TryRead(ref buffer, CommandLimits.Default, out Frame frame), "a whole frame was not found");
        var command = new RemotingCommand();
        command.Decode(in frame, CommandLimits.Default);
        return command;
    }

    public static byte[] Encode(RemotingCommand command, SerializeType type)
    {
        var buffer = new HeaderBuffer();
        var header = new AllFields(command.Fields);
        if (command.IsResponse)
        {
            CommandWriter.WriteResponse(buffer, type, command.ResponseCode, command.Opaque, command.Remark, in header, 0);
        }
        else
        {
            CommandWriter.WriteRequest(buffer, type, command.RequestCode, command.Opaque, command.IsOneWay, in header, 0);
        }

        return buffer.Written.ToArray();
    }

    public static bool SameFields(HeaderFields first, HeaderFields second, bool emptyIsNone)
    {
        Dictionary<string, string> expected = first.ToDictionary();
        Dictionary<string, string> actual = second.ToDictionary();
        if (emptyIsNone)
        {
            expected = expected.Where(field => field.Key.Length > 0 && field.Value.Length > 0).ToDictionary();
        }

        return expected.Count == actual.Count
            && expected.All(field => actual.TryGetValue(field.Key, out string? value) && value == field.Value);
    }

    private static void ReadAndWrite<THeader>(HeaderFields fields)
        where THeader : ICommandHeader<THeader>
    {
        try
        {
            THeader header = THeader.Read(fields);
            CommandWriter.WriteRequest(
                new HeaderBuffer(), SerializeType.Json, RequestCode.SendMessage, 0, oneWay: false, in header, 0);
        }
        catch (HeaderFieldException)
        {
            // What is missing or malformed is named to who asked.
        }
    }

    /// <summary>Writes what was read; of fields with one name the last.</summary>
    private readonly struct AllFields(HeaderFields fields) : IHeaderFields
    {
        public void Write(ref HeaderWriter writer)
        {
            foreach ((string name, string value) in fields.ToDictionary())
            {
                writer.Write(Encoding.UTF8.GetBytes(name), value);
            }
        }
    }
}
