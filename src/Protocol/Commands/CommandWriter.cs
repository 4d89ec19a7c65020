using System.Buffers.Binary;
using System.Buffers.Text;
using System.Runtime.CompilerServices;
using System.Text;

namespace GrayMQ.Protocol.Commands;

/// <summary>Writes a command's frame up to its body: both lengths and the header.</summary>
public static class CommandWriter
{
    private const int MaxNumberBytes = 11;

    internal static readonly string[] LanguageNames =
    [
        "JAVA", "CPP", "DOTNET", "PYTHON", "DELPHI", "ERLANG", "RUBY", "OTHER", "HTTP", "GO", "PHP", "OMS", "RUST", "NODE_JS",
    ];

    private static readonly byte[] JsonEnd =
        Encoding.UTF8.GetBytes($",\"serializeTypeCurrentRPC\":\"JSON\",\"version\":{RemotingCommand.CurrentVersion}}}");

    /// <summary>
    /// Writes a request that this side makes.
    /// </summary>
    /// <param name="buffer">Cleared, then filled with everything before the body.</param>
    /// <param name="bodyLength">Bytes of the body that the caller sends behind it.</param>
    public static void WriteRequest<THeader>(
        HeaderBuffer buffer,
        SerializeType type,
        RequestCode code,
        int opaque,
        bool oneWay,
        in THeader header,
        int bodyLength)
        where THeader : IHeaderFields, allows ref struct
    {
        int flag = oneWay ? RemotingCommand.OneWayFlag : 0;
        buffer.Clear();
        Append(buffer, Fitting(type, (int)code), (int)code, opaque, flag, null, in header, bodyLength);
    }

    /// <summary>Writes the response to the request numbered <paramref name="opaque"/>.</summary>
    /// <inheritdoc cref="WriteRequest"/>
    public static void WriteResponse<THeader>(
        HeaderBuffer buffer,
        SerializeType type,
        ResponseCode code,
        int opaque,
        string? remark,
        in THeader header,
        int bodyLength)
        where THeader : IHeaderFields, allows ref struct
    {
        buffer.Clear();
        AppendResponse(buffer, type, code, opaque, remark, in header, bodyLength);
    }

    /// <summary>As <see cref="WriteResponse"/>, behind what the buffer holds; where the header throws, that is all it holds again.</summary>
    public static void AppendResponse<THeader>(
        HeaderBuffer buffer,
        SerializeType type,
        ResponseCode code,
        int opaque,
        string? remark,
        in THeader header,
        int bodyLength)
        where THeader : IHeaderFields, allows ref struct
    {
        int start = buffer.Length;
        try
        {
            Append(buffer, Fitting(type, (int)code), (int)code, opaque, RemotingCommand.ResponseFlag, remark, in header, bodyLength);
        }
        catch
        {
            buffer.CutTo(start);
            throw;
        }
    }

    // A binary header has 16 bits for the code; what does not fit goes as JSON, which every peer reads.
    private static SerializeType Fitting(SerializeType type, int code) =>
        code is >= short.MinValue and <= short.MaxValue ? type : SerializeType.Json;

    private static void Append<THeader>(
        HeaderBuffer buffer,
        SerializeType type,
        int code,
        int opaque,
        int flag,
        string? remark,
        in THeader header,
        int bodyLength)
        where THeader : IHeaderFields, allows ref struct
    {
        int start = buffer.Length;
        buffer.Reserve(Frame.PrefixBytes);
        buffer.Advance(Frame.PrefixBytes);
        if (type == SerializeType.Json)
        {
            WriteJson(buffer, code, opaque, flag, remark, in header);
        }
        else
        {
            WriteBinary(buffer, code, opaque, flag, remark, in header);
        }

        int headerLength = buffer.Length - start - Frame.PrefixBytes;
        if (headerLength > Frame.MaxHeaderLength)
        {
            throw TooLong(headerLength);
        }

        Span<byte> prefix = buffer.At(start);
        BinaryPrimitives.WriteInt32BigEndian(prefix, checked(sizeof(int) + headerLength + bodyLength));
        BinaryPrimitives.WriteInt32BigEndian(prefix[4..], ((int)type << 24) | headerLength);
    }

    private static void WriteJson<THeader>(
        HeaderBuffer buffer, int code, int opaque, int flag, string? remark, in THeader header)
        where THeader : IHeaderFields, allows ref struct
    {
        BeginJson(buffer, code);
        var writer = new HeaderWriter(buffer, SerializeType.Json);
        header.Write(ref writer);
        EndJson(buffer, flag, opaque, remark);
    }

    private static void BeginJson(HeaderBuffer buffer, int code)
    {
        if (code == (int)ResponseCode.Success)
        {
            // As most answers are.
            buffer.Append("{\"code\":0,\"extFields\":{"u8);
            return;
        }

        buffer.Append("{\"code\":"u8);
        AppendNumber(buffer, code);
        buffer.Append(",\"extFields\":{"u8);
    }

    // Not inlined: of one method the compiler inlines only so much, and then calls for each span.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void EndJson(HeaderBuffer buffer, int flag, int opaque, string? remark)
    {
        if (flag == RemotingCommand.ResponseFlag)
        {
            buffer.Append("},\"flag\":1,\"language\":\"DOTNET\",\"opaque\":"u8);
        }
        else
        {
            buffer.Append("},\"flag\":"u8);
            AppendNumber(buffer, flag);
            buffer.Append(",\"language\":\"DOTNET\",\"opaque\":"u8);
        }

        AppendNumber(buffer, opaque);
        if (!string.IsNullOrEmpty(remark))
        {
            buffer.Append(",\"remark\":"u8);
            HeaderWriter.AppendJsonString(buffer, remark);
        }

        buffer.Append(JsonEnd);
    }

    private static void WriteBinary<THeader>(
        HeaderBuffer buffer, int code, int opaque, int flag, string? remark, in THeader header)
        where THeader : IHeaderFields, allows ref struct
    {
        const int FixedBytes = 13;
        Span<byte> to = buffer.Reserve(FixedBytes);
        BinaryPrimitives.WriteInt16BigEndian(to, (short)code);
        to[2] = (byte)LanguageCode.DotNet;
        BinaryPrimitives.WriteInt16BigEndian(to[3..], RemotingCommand.CurrentVersion);
        BinaryPrimitives.WriteInt32BigEndian(to[5..], opaque);
        BinaryPrimitives.WriteInt32BigEndian(to[9..], flag);
        buffer.Advance(FixedBytes);

        int remarkBytes = string.IsNullOrEmpty(remark) ? 0 : Encoding.UTF8.GetByteCount(remark);
        to = buffer.Reserve(sizeof(int) + remarkBytes);
        BinaryPrimitives.WriteInt32BigEndian(to, remarkBytes);
        if (remarkBytes > 0)
        {
            Encoding.UTF8.GetBytes(remark, to[sizeof(int)..]);
        }

        buffer.Advance(sizeof(int) + remarkBytes);

        int mapLengthAt = buffer.Length;
        buffer.Reserve(sizeof(int));
        buffer.Advance(sizeof(int));
        var writer = new HeaderWriter(buffer, SerializeType.RocketMq);
        header.Write(ref writer);
        BinaryPrimitives.WriteInt32BigEndian(buffer.At(mapLengthAt), buffer.Length - mapLengthAt - sizeof(int));
    }

    private static InvalidOperationException TooLong(int headerLength) =>
        new($"a header of {headerLength} bytes cannot be sent: its length has 24 bits");

    private static void AppendNumber(HeaderBuffer buffer, int number)
    {
        Span<byte> to = buffer.Reserve(MaxNumberBytes);
        if ((uint)number <= 9)
        {
            // As flags and most codes are.
            to[0] = (byte)('0' + number);
            buffer.Advance(1);
            return;
        }

        Utf8Formatter.TryFormat(number, to, out int length);
        buffer.Advance(length);
    }
}
