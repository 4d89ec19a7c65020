using System.Buffers;

namespace GrayMQ.Broker.Metadata;

/// <summary>
/// Breaks JSON into lines, for people. Only the space between its parts changes, so that also what fastjson writes beyond the
/// standard (numbers as keys) stays as it is.
/// </summary>
internal static class IndentedJson
{
    public static byte[] Format(ReadOnlySpan<byte> json)
    {
        var output = new ArrayBufferWriter<byte>(json.Length * 2);
        int depth = 0;
        bool inString = false;
        for (int at = 0; at < json.Length; at++)
        {
            byte current = json[at];
            if (inString)
            {
                output.Write([current]);
                if (current == '\\' && at + 1 < json.Length)
                {
                    output.Write([json[++at]]);
                }

                inString = current != '"';
                continue;
            }

            switch (current)
            {
                case (byte)'{' or (byte)'[' when at + 1 < json.Length && json[at + 1] is (byte)'}' or (byte)']':
                    output.Write(json.Slice(at++, 2));
                    break;
                case (byte)'{' or (byte)'[':
                    output.Write([current]);
                    BreakLine(output, ++depth);
                    break;
                case (byte)'}' or (byte)']':
                    BreakLine(output, --depth);
                    output.Write([current]);
                    break;
                case (byte)',':
                    output.Write([current]);
                    BreakLine(output, depth);
                    break;
                case (byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n':
                    break;
                default:
                    inString = current == '"';
                    output.Write([current]);
                    break;
            }
        }

        return output.WrittenSpan.ToArray();
    }

    private static void BreakLine(ArrayBufferWriter<byte> output, int depth)
    {
        output.Write("\n"u8);
        for (int i = 0; i < depth; i++)
        {
            output.Write("\t"u8);
        }
    }
}
