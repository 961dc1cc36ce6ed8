//! Functions of Rhai that are replaced by ones with the same name and meaning.
//!
//! Rhai's `sort`, `order` and `dedup` swallow every error of their closure, so that a mistake or a
//! stopped run would go unseen and the list would be left in some order. `exit` would end a branch of
//! `parallel` as if it had succeeded, and `get_fn_metadata_list` shows names that differ from build to
//! build; these two are refused. `replace` on a text looked at the size of its result only when it was
//! there: a few megabytes became terabytes. Comparing and printing lists and maps walked them by
//! recursion without bound, which a value nested deep enough turned into the end of the process; here
//! they read as JSON.

use std::any::TypeId;
use std::cmp::Ordering;
use std::sync::Arc;

use rhai::{
    Array, Dynamic, EvalAltResult, FnPtr, FuncRegistration, ImmutableString, Module,
    NativeCallContext, Position, RhaiFunc,
};

use super::world::{self, scope};
use crate::closure;
use crate::thrown::{self, Error};
use crate::value;

type Code = fn(&NativeCallContext, &mut [&mut Dynamic]) -> Result<Dynamic, Error>;

/// Puts the replacements into the module that the engine asks before Rhai's own.
pub(super) fn register(module: &mut Module) {
    let list_and_closure = [TypeId::of::<Array>(), TypeId::of::<FnPtr>()];
    let text = TypeId::of::<ImmutableString>();
    let replacements: [(&'static str, &[TypeId], Code); 10] = [
        ("sort", &list_and_closure, sort),
        ("sort_by", &list_and_closure, sort),
        ("order", &list_and_closure, order),
        ("order_by", &list_and_closure, order),
        ("dedup", &list_and_closure, dedup),
        ("exit", &[], exit),
        ("exit", &[TypeId::of::<Dynamic>()], exit),
        ("get_fn_metadata_list", &[], no_metadata),
        ("get_fn_metadata_list", &[text], no_metadata),
        (
            "get_fn_metadata_list",
            &[text, TypeId::of::<rhai::INT>()],
            no_metadata,
        ),
    ];
    let character = TypeId::of::<char>();
    for types in [
        [text, text, text],
        [text, text, character],
        [text, character, text],
        [text, character, character],
    ] {
        add(module, "replace", &types, replace_text);
    }
    for container in [TypeId::of::<Array>(), TypeId::of::<rhai::Map>()] {
        for name in ["to_string", "to_debug", "print", "debug"] {
            add(module, name, &[container], show);
        }
        add(module, "==", &[container, container], |context, pair| {
            equal(context, pair).map(Dynamic::from)
        });
        add(module, "!=", &[container, container], |context, pair| {
            equal(context, pair).map(|same| (!same).into())
        });
    }
    for (name, types, code) in replacements {
        add(module, name, types, code);
    }
}

fn add(module: &mut Module, name: &'static str, types: &[TypeId], code: Code) {
    let call =
        move |context: Option<NativeCallContext>, arguments: &mut [&mut Dynamic]| match context {
            Some(context) => code(&context, arguments),
            None => Ok(Dynamic::UNIT),
        };
    let is_pure = !matches!(name, "sort" | "sort_by" | "dedup" | "replace");
    let function = RhaiFunc::Method {
        func: Arc::new(call),
        has_context: true,
        is_pure,
        is_volatile: true,
    };
    FuncRegistration::new(name)
        .in_global_namespace()
        .set_into_module_raw(module, types, function);
}

fn sort(context: &NativeCallContext, arguments: &mut [&mut Dynamic]) -> Result<Dynamic, Error> {
    let sorted = ordered("sort", context, arguments)?;
    replace(arguments, sorted);
    Ok(Dynamic::UNIT)
}

fn order(context: &NativeCallContext, arguments: &mut [&mut Dynamic]) -> Result<Dynamic, Error> {
    ordered("order", context, arguments).map(Dynamic::from_array)
}

fn dedup(context: &NativeCallContext, arguments: &mut [&mut Dynamic]) -> Result<Dynamic, Error> {
    let (list, comparer) = list_and_closure(arguments)?;
    let _scope = scope()?.refusing("dedup").enter();
    let mut kept: Array = Vec::with_capacity(list.len());
    for item in list {
        let same = match kept.last() {
            None => false,
            Some(last) => {
                let answer = comparer.call_raw(context, None, [last.clone(), item.clone()])?;
                answer.as_bool().map_err(|_| {
                    thrown::mistake(
                        format!(
                            "the closure of `dedup` gave {}, not a boolean",
                            value::kind(&answer)
                        ),
                        None,
                    )
                })?
            }
        };
        if !same {
            kept.push(item);
        }
    }
    replace(arguments, kept);
    Ok(Dynamic::UNIT)
}

fn exit(_: &NativeCallContext, _: &mut [&mut Dynamic]) -> Result<Dynamic, Error> {
    let help = "write `return` with the result of the run, or `fail` with what went wrong";
    Err(thrown::mistake(
        "`exit` is not part of the playbook language".to_owned(),
        Some(help),
    ))
}

fn no_metadata(_: &NativeCallContext, _: &mut [&mut Dynamic]) -> Result<Dynamic, Error> {
    Err(thrown::mistake(
        "`get_fn_metadata_list` is not part of the playbook language".to_owned(),
        None,
    ))
}

fn replace_text(
    context: &NativeCallContext,
    arguments: &mut [&mut Dynamic],
) -> Result<Dynamic, Error> {
    let (from, to) = (world::text(arguments[1]), world::text(arguments[2]));
    let text = world::text(&arguments[0].flatten_clone());
    let count = text.matches(&from).count();
    let size = count
        .saturating_mul(to.len())
        .saturating_add(text.len())
        .saturating_sub(count.saturating_mul(from.len()));
    if size > context.engine().max_string_size() {
        return Err(Box::new(EvalAltResult::ErrorDataTooLarge(
            "Length of string".to_owned(),
            Position::NONE,
        )));
    }
    *arguments[0]
        .write_lock::<ImmutableString>()
        .ok_or_else(thrown::terminated)? = text.replace(&from, &to).into();
    Ok(Dynamic::UNIT)
}

fn show(_: &NativeCallContext, arguments: &mut [&mut Dynamic]) -> Result<Dynamic, Error> {
    match value::from_script(arguments[0]) {
        Ok(value) => Ok(value.to_json().into()),
        Err(_) => Ok(shallow(&arguments[0].flatten_clone()).into()),
    }
}

/// A list or map in which something is no value, one level of it.
fn shallow(value: &Dynamic) -> String {
    let entry = |entry: &Dynamic| {
        value::from_script(entry).map_or_else(|_| value::kind(entry), |entry| entry.to_json())
    };
    if let Some(list) = value.read_lock::<Array>() {
        let entries: Vec<String> = list.iter().map(entry).collect();
        return format!("[{}]", entries.join(","));
    }
    let Some(map) = value.read_lock::<rhai::Map>() else {
        return value::kind(value);
    };
    let entries: Vec<String> = map
        .iter()
        .map(|(name, value)| format!("{name:?}:{}", entry(value)))
        .collect();
    format!("{{{}}}", entries.join(","))
}

fn equal(context: &NativeCallContext, pair: &mut [&mut Dynamic]) -> Result<bool, Error> {
    same(
        context,
        &pair[0].flatten_clone(),
        &pair[1].flatten_clone(),
        0,
    )
}

fn same(
    context: &NativeCallContext,
    left: &Dynamic,
    right: &Dynamic,
    depth: usize,
) -> Result<bool, Error> {
    if depth > value::DEPTH_MAX {
        let message = format!(
            "values that are nested deeper than {} cannot be compared",
            value::DEPTH_MAX
        );
        return Err(thrown::mistake(message, None));
    }
    if let (Some(left), Some(right)) = (left.read_lock::<Array>(), right.read_lock::<Array>()) {
        return Ok(
            left.len() == right.len() && all_same(context, left.iter().zip(right.iter()), depth)?
        );
    }
    if let (Some(left), Some(right)) = (
        left.read_lock::<rhai::Map>(),
        right.read_lock::<rhai::Map>(),
    ) {
        return Ok(left.keys().eq(right.keys())
            && all_same(context, left.values().zip(right.values()), depth)?);
    }
    let answer =
        context.call_native_fn_raw("==", true, &mut [&mut left.clone(), &mut right.clone()]);
    // Values of kinds that do not compare are different.
    Ok(answer.is_ok_and(|answer| answer.as_bool().unwrap_or(false)))
}

fn all_same<'a>(
    context: &NativeCallContext,
    mut pairs: impl Iterator<Item = (&'a Dynamic, &'a Dynamic)>,
    depth: usize,
) -> Result<bool, Error> {
    pairs.try_fold(true, |all, (left, right)| {
        Ok(all && same(context, left, right, depth + 1)?)
    })
}

/// A copy of the list, since the closure may have captured the list itself, and the closure.
fn list_and_closure(arguments: &[&mut Dynamic]) -> Result<(Array, FnPtr), Error> {
    let list = arguments[0]
        .flatten_clone()
        .into_array()
        .unwrap_or_default();
    Ok((list, closure::of(arguments[1])?))
}

fn replace(arguments: &mut [&mut Dynamic], list: Array) {
    if let Some(mut place) = arguments[0].write_lock::<Array>() {
        *place = list;
    }
}

fn ordered(
    function: &'static str,
    context: &NativeCallContext,
    arguments: &[&mut Dynamic],
) -> Result<Array, Error> {
    let (list, comparer) = list_and_closure(arguments)?;
    let _scope = scope()?.refusing(function).enter();
    merge_sort(list, &mut |left, right| {
        let answer = comparer.call_raw(context, None, [left.clone(), right.clone()])?;
        if let Ok(number) = answer.as_int() {
            return Ok(number.cmp(&0));
        }
        match answer.as_bool() {
            Ok(true) => Ok(Ordering::Less),
            Ok(false) => Ok(Ordering::Greater),
            Err(_) => {
                let got = value::kind(&answer);
                let help =
                    "it gives a number below, at or above 0, or `true` where the first comes first";
                Err(thrown::mistake(
                    format!("the closure of `{function}` gave {got}"),
                    Some(help),
                ))
            }
        }
    })
}

type Compare<'a> = &'a mut dyn FnMut(&Dynamic, &Dynamic) -> Result<Ordering, Error>;

/// Stable, and at peace with a closure that contradicts itself, where the standard library's may panic.
fn merge_sort(mut list: Array, compare: Compare<'_>) -> Result<Array, Error> {
    if list.len() < 2 {
        return Ok(list);
    }
    let right = list.split_off(list.len() / 2);
    let mut left = merge_sort(list, compare)?.into_iter().peekable();
    let mut right = merge_sort(right, compare)?.into_iter().peekable();
    let mut merged = Vec::with_capacity(left.len() + right.len());
    while let (Some(first), Some(second)) = (left.peek(), right.peek()) {
        let next = if compare(first, second)? == Ordering::Greater {
            right.next()
        } else {
            left.next()
        };
        merged.extend(next);
    }
    merged.extend(left);
    merged.extend(right);
    Ok(merged)
}
