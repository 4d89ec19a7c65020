using System.Text;
using GrayMQ.Protocol.Messages;

namespace GrayMQ.Protocol.Tests.Messages;

public class MessagePropertiesEditorTests
{
    private delegate void Change(ref MessagePropertiesEditor editor);

    private static byte[] Raw(string text) => Encoding.UTF8.GetBytes(text);

    private static string Edit(string properties, Change change)
    {
        var editor = new MessagePropertiesEditor(Raw(properties));
        change(ref editor);
        string text = Encoding.UTF8.GetString(editor.Bytes);
        editor.Dispose();
        return text;
    }

    [Theory]
    [InlineData("A\u0001b\u0002C\u0001d\u0002", "A", "C\u0001d\u0002")]
    [InlineData("A\u0001b\u0002C\u0001d", "C", "A\u0001b\u0002")]
    [InlineData("A\u00011\u0002B\u00012\u0002A\u00013\u0002", "A", "B\u00012\u0002")]
    [InlineData("AA\u00011\u0002A\u00012\u0002", "A", "AA\u00011\u0002")]
    [InlineData("B\u0001A\u00011\u0002", "A", "B\u0001A\u00011\u0002")]
    [InlineData("A\u0001\u0002B\u00012\u0002", "A", "B\u00012\u0002")]
    [InlineData("A\u0002A\u00011\u0002", "A", "A\u0002")]
    [InlineData("A", "A", "A\u0002")]
    [InlineData("", "A", "")]
    [InlineData("\u0002\u0002A\u00011", "A", "\u0002\u0002")]
    public void Remove_Properties_LeavesTheOthersAsTheyAre(string properties, string name, string expected) =>
        Assert.Equal(expected, Edit(properties, (ref editor) => editor.Remove(Raw(name))));

    [Theory]
    [InlineData("", "A", "1", "A\u00011\u0002")]
    [InlineData("B\u00012", "A", "1", "B\u00012\u0002A\u00011\u0002")]
    [InlineData("A\u00010\u0002B\u00012\u0002A\u00013\u0002", "A", "1", "B\u00012\u0002A\u00011\u0002")]
    [InlineData("A\u00010\u0002B\u00012\u0002", "A", "", "B\u00012\u0002")]
    public void Set_Properties_StandsLastAndOnce(string properties, string name, string value, string expected) =>
        Assert.Equal(expected, Edit(properties, (ref editor) => editor.Set(Raw(name), Raw(value))));

    [Fact]
    public void Set_Number_IsWrittenInDigits() =>
        Assert.Equal(
            $"N\u0001{long.MinValue}\u0002M\u00010\u0002",
            Edit("", (ref editor) =>
            {
                editor.Set("N"u8, long.MinValue);
                editor.Set("M"u8, 0);
            }));

    [Fact]
    public void SetIfAbsent_Present_KeepsTheFirst() =>
        Assert.Equal(
            "A\u00011\u0002B\u00012\u0002",
            Edit("A\u00011\u0002", (ref editor) =>
            {
                editor.SetIfAbsent("A"u8, "2"u8);
                editor.SetIfAbsent("B"u8, "2"u8);
            }));

    [Fact]
    public void Set_MoreThanTheBufferHolds_Grows()
    {
        const int Names = 200;
        string edited = Edit("K\u0001v\u0002", (ref editor) =>
        {
            for (int i = 0; i < Names; i++)
            {
                editor.Set(Raw($"name{i}"), Raw(new string('x', i)));
            }
        });
        Dictionary<string, string> read = MessagePropertiesCodec.ToDictionary(Raw(edited));
        Assert.Equal(Names, read.Count);
        Assert.Equal("v", read["K"]);
        for (int i = 1; i < Names; i++)
        {
            Assert.Equal(new string('x', i), read[$"name{i}"]);
        }
    }

    [Fact]
    public void RandomEdits_AgreeWithADictionary()
    {
        var random = new Random(36);
        for (int round = 0; round < 500; round++)
        {
            var model = new Dictionary<string, string>(StringComparer.Ordinal);
            var editor = new MessagePropertiesEditor(default);
            for (int step = 0; step < 30; step++)
            {
                string name = new('A', random.Next(1, 4));
                string value = new('A', random.Next(0, 4));
                if (random.Next(3) == 0 || value.Length == 0)
                {
                    editor.Remove(Raw(name));
                    model.Remove(name);
                }
                else
                {
                    editor.Set(Raw(name), Raw(value));
                    model[name] = value;
                }

                Assert.Equal(model.ContainsKey(name), editor.Contains(Raw(name)));
            }

            Assert.Equal(model, MessagePropertiesCodec.ToDictionary(editor.Bytes));
            editor.Dispose();
        }
    }

    [Fact]
    public void Edit_AllocatesNothing()
    {
        byte[] properties = Raw("UNIQ_KEY\u00010123456789\u0002TAGS\u0001x\u0002");
        long Measure()
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            using var editor = new MessagePropertiesEditor(properties);
            editor.Set("RETRY_TOPIC"u8, "orders"u8);
            editor.Remove("TAGS"u8);
            return GC.GetAllocatedBytesForCurrentThread() - before;
        }

        Measure();
        Assert.Equal(0, Measure());
    }
}
