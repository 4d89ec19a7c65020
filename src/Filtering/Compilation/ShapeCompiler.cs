using System.Diagnostics.CodeAnalysis;
using System.Reflection.Emit;
using GrayMQ.Filtering.Outcomes;
using GrayMQ.Filtering.Properties;

namespace GrayMQ.Filtering.Compilation;

/// <summary>Translates a shape's steps into a method, one by one; the method's first argument is the constants.</summary>
[RequiresDynamicCode("Emits a method.")]
internal sealed class ShapeCompiler
{
    private readonly ILGenerator _il;
    private readonly Stack<Junction> _junctions = new();
    private readonly Stack<(Label Then, Label End)> _choices = new();
    private int _slots;
    private int _texts;
    private int _keys;
    private int _numbers;
    private int _sets;
    private int _patterns;

    private ShapeCompiler(ILGenerator il) => _il = il;

    public static DynamicMethod Compile(string code)
    {
        var method = new DynamicMethod(
            "Filter",
            typeof(bool),
            [typeof(ShapeConstants), typeof(PropertyReader).MakeByRefType()],
            typeof(ShapeCompiler).Module,
            skipVisibility: true);
        var compiler = new ShapeCompiler(method.GetILGenerator());
        for (int at = 0; at < code.Length; at++)
        {
            var op = (ShapeOp)code[at];
            compiler.Emit(op, HasOperand(op) ? code[++at] : 0);
        }

        compiler._il.Emit(OpCodes.Ret);
        return method;
    }

    private static bool HasOperand(ShapeOp op) => op
        is ShapeOp.Push or ShapeOp.Call or ShapeOp.Map or ShapeOp.JunctionBegin or ShapeOp.MatchBegin or ShapeOp.ChooseBegin;

    private void Emit(ShapeOp op, int operand)
    {
        switch (op)
        {
            case ShapeOp.Push:
                _il.Emit(OpCodes.Ldc_I4, operand);
                break;
            case ShapeOp.Property:
                _il.Emit(OpCodes.Ldarg_1);
                LoadConstant(nameof(ShapeConstants.Slots), _slots++, OpCodes.Ldelem_I4);
                _il.Emit(OpCodes.Call, ShapeMethods.ReaderGet);
                break;
            case ShapeOp.Text:
                LoadConstant(nameof(ShapeConstants.Texts), _texts++, OpCodes.Ldelem_Ref);
                _il.Emit(OpCodes.Call, ShapeMethods.AsSpan);
                _il.Emit(OpCodes.Newobj, ShapeMethods.NewText);
                break;
            case ShapeOp.MissingText:
                _il.Emit(OpCodes.Call, ShapeMethods.Missing);
                break;
            case ShapeOp.Key:
                LoadConstant(nameof(ShapeConstants.Keys), _keys++, OpCodes.Ldelem, typeof(Numbers.NumberKey));
                break;
            case ShapeOp.Number:
                LoadConstant(nameof(ShapeConstants.Numbers), _numbers++, OpCodes.Ldelem, typeof(Numbers.FilterNumber));
                break;
            case ShapeOp.Set:
                LoadConstant(nameof(ShapeConstants.Sets), _sets++, OpCodes.Ldelem_Ref);
                break;
            case ShapeOp.Pattern:
                LoadConstant(nameof(ShapeConstants.Patterns), _patterns++, OpCodes.Ldelem_Ref);
                break;
            case ShapeOp.Call:
                _il.Emit(OpCodes.Call, ShapeMethods.Get(operand));
                break;
            case ShapeOp.Map:
                EmitMap(operand);
                break;
            case ShapeOp.IsTrue:
                _il.Emit(OpCodes.Ldc_I4, (int)Outcome.True);
                _il.Emit(OpCodes.Ceq);
                break;
            default:
                EmitControl(op, operand);
                break;
        }
    }

    private void EmitControl(ShapeOp op, int operand)
    {
        switch (op)
        {
            case ShapeOp.JunctionBegin or ShapeOp.MatchBegin:
                _junctions.Push(new Junction(
                    IsAnd: operand == 1, _il.DeclareLocal(typeof(int)), _il.DeclareLocal(typeof(int)), _il.DefineLabel(), _il.DefineLabel()));
                if (op == ShapeOp.JunctionBegin)
                {
                    _il.Emit(OpCodes.Ldc_I4, (int)OutcomeAlgebra.Of(operand == 1));
                    _il.Emit(OpCodes.Stloc, _junctions.Peek().Result);
                }

                break;
            case ShapeOp.JunctionNext:
                EmitJunctionNext(_junctions.Peek());
                break;
            case ShapeOp.JunctionEnd:
                Junction junction = _junctions.Pop();
                _il.Emit(OpCodes.Br, junction.End);
                _il.MarkLabel(junction.Decided);
                _il.Emit(OpCodes.Ldloc, junction.Operand);
                _il.Emit(OpCodes.Stloc, junction.Result);
                _il.MarkLabel(junction.End);
                _il.Emit(OpCodes.Ldloc, junction.Result);
                break;
            case ShapeOp.MatchNext:
                _il.Emit(_junctions.Peek().IsAnd ? OpCodes.Brfalse : OpCodes.Brtrue, _junctions.Peek().Decided);
                break;
            case ShapeOp.MatchEnd:
                Junction match = _junctions.Pop();
                _il.Emit(OpCodes.Br, match.End);
                _il.MarkLabel(match.Decided);
                _il.Emit(match.IsAnd ? OpCodes.Ldc_I4_0 : OpCodes.Ldc_I4_1);
                _il.MarkLabel(match.End);
                break;
            case ShapeOp.ChooseBegin:
                EmitChooseBegin(errorPassesThrough: operand == 1);
                break;
            case ShapeOp.ChooseThen:
                _il.Emit(OpCodes.Br, _choices.Peek().End);
                _il.MarkLabel(_choices.Peek().Then);
                break;
            case ShapeOp.ChooseEnd:
                _il.MarkLabel(_choices.Pop().End);
                break;
            default:
                throw new InvalidOperationException($"there is no step {op}");
        }
    }

    private void EmitJunctionNext(Junction junction)
    {
        Label next = _il.DefineLabel();
        _il.Emit(OpCodes.Stloc, junction.Operand);
        _il.Emit(OpCodes.Ldloc, junction.Operand);
        _il.Emit(OpCodes.Ldc_I4, (int)OutcomeAlgebra.Of(!junction.IsAnd));
        _il.Emit(OpCodes.Beq, junction.Decided);
        _il.Emit(OpCodes.Ldloc, junction.Operand);
        _il.Emit(OpCodes.Ldc_I4, (int)Outcome.Error);
        _il.Emit(OpCodes.Beq, junction.Decided);
        _il.Emit(OpCodes.Ldloc, junction.Operand);
        _il.Emit(OpCodes.Ldc_I4, (int)Outcome.Null);
        _il.Emit(OpCodes.Bne_Un, next);
        _il.Emit(OpCodes.Ldc_I4, (int)Outcome.Null);
        _il.Emit(OpCodes.Stloc, junction.Result);
        _il.MarkLabel(next);
    }

    private void EmitChooseBegin(bool errorPassesThrough)
    {
        Label then = _il.DefineLabel();
        Label end = _il.DefineLabel();
        Label otherwise = _il.DefineLabel();
        LocalBuilder condition = _il.DeclareLocal(typeof(int));
        _il.Emit(OpCodes.Stloc, condition);
        _il.Emit(OpCodes.Ldloc, condition);
        _il.Emit(OpCodes.Ldc_I4, (int)Outcome.True);
        _il.Emit(OpCodes.Beq, then);
        if (errorPassesThrough)
        {
            _il.Emit(OpCodes.Ldloc, condition);
            _il.Emit(OpCodes.Ldc_I4, (int)Outcome.Error);
            _il.Emit(OpCodes.Bne_Un, otherwise);
            _il.Emit(OpCodes.Ldc_I4, (int)Outcome.Error);
            _il.Emit(OpCodes.Br, end);
        }

        _il.MarkLabel(otherwise);
        _choices.Push((then, end));
    }

    // (bits >> (2 * outcome)) & 3
    private void EmitMap(int bits)
    {
        LocalBuilder outcome = _il.DeclareLocal(typeof(int));
        _il.Emit(OpCodes.Stloc, outcome);
        _il.Emit(OpCodes.Ldc_I4, bits);
        _il.Emit(OpCodes.Ldloc, outcome);
        _il.Emit(OpCodes.Ldc_I4_1);
        _il.Emit(OpCodes.Shl);
        _il.Emit(OpCodes.Shr_Un);
        _il.Emit(OpCodes.Ldc_I4_3);
        _il.Emit(OpCodes.And);
    }

    private void LoadConstant(string field, int index, OpCode load, Type? type = null)
    {
        _il.Emit(OpCodes.Ldarg_0);
        _il.Emit(OpCodes.Ldfld, typeof(ShapeConstants).GetField(field)!);
        _il.Emit(OpCodes.Ldc_I4, index);
        if (type is null)
        {
            _il.Emit(load);
        }
        else
        {
            _il.Emit(load, type);
        }
    }

    private sealed record Junction(bool IsAnd, LocalBuilder Operand, LocalBuilder Result, Label Decided, Label End);
}
